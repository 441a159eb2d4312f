//! How a sample picks rows.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};

/// How a sample picks rows, each by a random number of its own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Sampling {
    /// Those whose number, from 0 to 1, is at least `from` and below `to`.
    Range {
        /// The least number.
        from: f64,
        /// Above the greatest number.
        to: f64,
    },
    /// Each as often as its number says, which has Poisson's distribution: sampling with replacement.
    Poisson {
        /// How often on average.
        mean: f64,
    },
}

impl Sampling {
    /// A share of the rows, 0 to 1.
    pub fn share(share: f64) -> Sampling {
        Sampling::Range { from: 0.0, to: share }
    }

    /// Rows put out for each row, on average.
    pub fn rate(self) -> f64 {
        match self {
            Sampling::Range { from, to } => (to - from).clamp(0.0, 1.0),
            Sampling::Poisson { mean } => mean.max(0.0),
        }
    }

    /// What makes two the same: bits, of which NaN has one pattern like any other number.
    fn key(self) -> (bool, u64, u64) {
        match self {
            Sampling::Range { from, to } => (false, from.to_bits(), to.to_bits()),
            Sampling::Poisson { mean } => (true, mean.to_bits(), 0),
        }
    }
}

impl PartialEq for Sampling {
    fn eq(&self, other: &Sampling) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Sampling {}

impl Hash for Sampling {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sampling::Range { from: 0.0, to } => write!(f, "{to}"),
            Sampling::Range { from, to } => write!(f, "{from} to {to}"),
            Sampling::Poisson { mean } => write!(f, "{mean} with replacement"),
        }
    }
}

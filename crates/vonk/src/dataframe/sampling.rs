//! Random samples.

use super::{DataFrame, misuse, reference};
use std::hash::{BuildHasher, RandomState};
use vonk_error::Result;
use vonk_plan::logical::Sampling;
use vonk_plan::unresolved::{Plan, SampleAmount};
use vonk_types::DataType;

impl DataFrame {
    /// A random sample: a share of the rows; or with replacement, where each row may come several times, `fraction` times on average. The
    /// same seed gives the same rows of the same partitions, and those that Spark gives (with replacement, for fractions below 40).
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let numbers = session.range(0, 1000)?;
    /// assert!(numbers.sample(false, 0.1, Some(42))?.count()? < 200);
    /// assert!(numbers.sample(true, 3.0, Some(42))?.count()? > 2000);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn sample(&self, with_replacement: bool, fraction: f64, seed: Option<i64>) -> Result<DataFrame> {
        if with_replacement {
            if fraction.is_nan() || fraction < 0.0 {
                return Err(misuse(&format!(
                    "requirement failed: Sampling fraction ({fraction:?}) must be nonnegative with replacement"
                )));
            }
            return self.chosen(Sampling::Poisson { mean: fraction }, seed);
        }
        if !(0.0..=1.0).contains(&fraction) {
            return Err(misuse(&format!(
                "requirement failed: Sampling fraction ({fraction:?}) must be on interval [0, 1] without replacement"
            )));
        }
        self.chosen(Sampling::share(fraction), seed)
    }

    fn chosen(&self, sampling: Sampling, seed: Option<i64>) -> Result<DataFrame> {
        let amount = SampleAmount::Chosen(sampling);
        self.step(&Plan::Sample { input: Box::new(self.input()), amount, seed })
    }

    /// The rows in random parts, whose sizes are about as the weights.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let parts = session.range(0, 1000)?.random_split(&[0.8, 0.2], Some(42))?;
    /// assert_eq!(parts[0].count()? + parts[1].count()?, 1000);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn random_split(&self, weights: &[f64], seed: Option<i64>) -> Result<Vec<DataFrame>> {
        let shown = || weights.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join(",");
        if weights.iter().any(|w| w.is_nan() || *w < 0.0) {
            let message = format!("requirement failed: Weights must be nonnegative, but got [{}]", shown());
            return Err(misuse(&message));
        }
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 {
            let message =
                format!("requirement failed: Sum of weights must be positive, but got [{}]", shown());
            return Err(misuse(&message));
        }
        // All parts draw the same numbers for the same rows, which therefore must come in the same order each time.
        let columns = self.resolved.columns();
        let keys: Vec<_> = columns
            .iter()
            .filter(|c| c.data_type.is_orderable() && !matches!(c.data_type, DataType::Null))
            .map(|c| super::Column::of(reference(c)))
            .collect();
        let ordered = match keys.is_empty() {
            true => self.cache()?,
            false => self.sort_within_partitions(keys)?,
        };
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(weights.len()).cast_signed());
        let mut from = 0.0;
        let mut parts = Vec::with_capacity(weights.len());
        for weight in weights {
            let to = from + weight / sum;
            parts.push(ordered.chosen(Sampling::Range { from, to }, Some(seed))?);
            from = to;
        }
        Ok(parts)
    }
}

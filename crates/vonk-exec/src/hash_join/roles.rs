//! What a kind of join does with pairs and with the rows of each side, seen from probe and build side.

use vonk_error::Result;
use vonk_physical::{BuildSide, JoinKind, JoinSpec};

/// What becomes of the rows of one side once it is known which of them have matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They come out in pairs or not at all.
    Nothing,
    /// Those without a match come out with nulls for the other side.
    Extended,
    /// Those with a match come out.
    Matched,
    /// Those without a match come out.
    Unmatched,
    /// All come out with the mark.
    Marked,
}

/// A kind of join, seen from probe and build side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Roles {
    /// The probe side is the left input.
    pub probe_is_left: bool,
    /// Matching pairs come out.
    pub pairs: bool,
    /// Fate of probe rows.
    pub probe: Fate,
    /// Fate of build rows.
    pub build: Fate,
    /// No left row may match twice.
    pub single: bool,
    /// A comparison with null makes a match unknown: such rows are neither matched nor unmatched.
    pub null_aware: bool,
}

impl Roles {
    /// Of a join.
    pub fn new(join: &JoinSpec, build: BuildSide) -> Roles {
        let probe_is_left = build == BuildSide::Right;
        let (left, right) = match join.kind {
            JoinKind::Inner => (Fate::Nothing, Fate::Nothing),
            JoinKind::Left | JoinKind::LeftSingle => (Fate::Extended, Fate::Nothing),
            JoinKind::Right => (Fate::Nothing, Fate::Extended),
            JoinKind::Full => (Fate::Extended, Fate::Extended),
            JoinKind::LeftSemi => (Fate::Matched, Fate::Nothing),
            JoinKind::LeftAnti | JoinKind::NullAwareAnti => (Fate::Unmatched, Fate::Nothing),
            JoinKind::Mark => (Fate::Marked, Fate::Nothing),
        };
        let (probe, build) = if probe_is_left { (left, right) } else { (right, left) };
        Roles {
            probe_is_left,
            pairs: join.kind.outputs_right(),
            probe,
            build,
            single: join.kind == JoinKind::LeftSingle,
            null_aware: join.kind == JoinKind::NullAwareAnti
                || (join.kind == JoinKind::Mark && join.null_aware),
        }
    }

    /// An error for what the operators do not do, and the planner does not ask for.
    pub fn check(&self, broadcast: bool) -> Result<()> {
        if broadcast && self.needs_visited() {
            return vonk_error::internal_err!("no task knows which rows of a broadcast others have matched");
        }
        if self.null_aware && !self.probe_is_left {
            return vonk_error::internal_err!("a null-aware join holds its right side");
        }
        Ok(())
    }

    /// Whether it must be known which probe rows have matched.
    pub fn needs_matched(&self) -> bool {
        self.probe != Fate::Nothing || (self.single && self.probe_is_left)
    }

    /// Whether it must be known which build rows have matched.
    pub fn needs_visited(&self) -> bool {
        self.build != Fate::Nothing || (self.single && !self.probe_is_left)
    }

    /// Whether probe rows come out only if there are build rows.
    pub fn nothing_without_build(&self) -> bool {
        matches!(self.probe, Fate::Nothing | Fate::Matched)
    }
}

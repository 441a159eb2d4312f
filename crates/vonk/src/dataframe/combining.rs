//! Two DataFrames made one: joins and set operations.

use super::{Column, DataFrame, self_join, sets};
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{self, JoinConstraint, JoinKind, Name, Plan, SetOpKind};

impl DataFrame {
    /// A join. `how` is one of Spark's names: `inner`, `left`, `right`, `full` (also with `outer`), `left_semi`, `left_anti`, `cross`.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let (a, b) = (session.range(0, 4)?, session.range(2, 6)?);
    /// let both = a.join(&b, a.col("id")?.eq(b.col("id")?), "inner")?;
    /// assert_eq!(both.count()?, 2);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn join(&self, other: &DataFrame, on: Column, how: &str) -> Result<DataFrame> {
        let kind = join_kind(how)?;
        self.joined(other, kind, JoinConstraint::On(on.into_expr()?))
    }

    /// A join on equal columns, which the result has once.
    pub fn join_using<'a>(
        &self,
        other: &DataFrame,
        columns: impl IntoIterator<Item = &'a str>,
        how: &str,
    ) -> Result<DataFrame> {
        let names = columns.into_iter().map(Name::of).collect();
        self.joined(other, join_kind(how)?, JoinConstraint::Using(names))
    }

    /// Every row with every row.
    pub fn cross_join(&self, other: &DataFrame) -> Result<DataFrame> {
        self.joined(other, JoinKind::Cross, JoinConstraint::None)
    }

    fn joined(&self, other: &DataFrame, kind: JoinKind, constraint: JoinConstraint) -> Result<DataFrame> {
        let (right, constraint) = self_join::told_apart(self, other, constraint)?;
        self.step(&Plan::Join(Box::new(unresolved::Join {
            left: self.input(),
            right: right.embed(),
            kind,
            constraint,
            lateral: false,
            span: Span::NONE,
        })))
    }

    fn set_operation(
        &self,
        other: &DataFrame,
        kind: SetOpKind,
        all: bool,
        by_name: bool,
    ) -> Result<DataFrame> {
        let (left, right) = (Box::new(self.input()), Box::new(other.input()));
        self.step(&Plan::SetOp { kind, all, by_name, left, right, span: Span::NONE })
    }

    /// The rows of both, duplicates included; columns by position.
    pub fn union(&self, other: &DataFrame) -> Result<DataFrame> {
        self.set_operation(other, SetOpKind::Union, true, false)
    }

    /// Another name of [`union`](Self::union).
    pub fn union_all(&self, other: &DataFrame) -> Result<DataFrame> {
        self.union(other)
    }

    /// The rows of both, duplicates included; columns by name. With `allow_missing`, a column that one side lacks is null there, and
    /// so is a field of a struct.
    pub fn union_by_name(&self, other: &DataFrame, allow_missing: bool) -> Result<DataFrame> {
        sets::union_by_name(self, other, allow_missing)
    }

    /// Each row that both have, once.
    pub fn intersect(&self, other: &DataFrame) -> Result<DataFrame> {
        self.set_operation(other, SetOpKind::Intersect, false, false)
    }

    /// Each row that both have, as often as both have it.
    pub fn intersect_all(&self, other: &DataFrame) -> Result<DataFrame> {
        self.set_operation(other, SetOpKind::Intersect, true, false)
    }

    /// Each row that the other does not have, once (Spark: `EXCEPT`).
    pub fn except(&self, other: &DataFrame) -> Result<DataFrame> {
        self.set_operation(other, SetOpKind::Except, false, false)
    }

    /// Another name of [`except`](Self::except).
    pub fn subtract(&self, other: &DataFrame) -> Result<DataFrame> {
        self.except(other)
    }

    /// Each row as often as it is here more than in the other.
    pub fn except_all(&self, other: &DataFrame) -> Result<DataFrame> {
        self.set_operation(other, SetOpKind::Except, true, false)
    }
}

/// Spark's names of joins.
fn join_kind(how: &str) -> Result<JoinKind> {
    Ok(match how.to_lowercase().replace('_', "").as_str() {
        "inner" => JoinKind::Inner,
        "outer" | "full" | "fullouter" => JoinKind::Full,
        "left" | "leftouter" => JoinKind::Left,
        "right" | "rightouter" => JoinKind::Right,
        "leftsemi" | "semi" => JoinKind::LeftSemi,
        "leftanti" | "anti" => JoinKind::LeftAnti,
        "cross" => JoinKind::Cross,
        _ => {
            const NAMES: &str = "'inner', 'outer', 'full', 'fullouter', 'full_outer', 'leftouter', 'left', \
                'left_outer', 'rightouter', 'right', 'right_outer', 'leftsemi', 'left_semi', 'semi', 'leftanti', \
                'left_anti', 'anti', 'cross'";
            return Err(Error::new("UNSUPPORTED_JOIN_TYPE").with("typ", how).with("supported", NAMES));
        }
    })
}

//! Where rows lie: how many partitions, and which rows in which.

use super::{DataFrame, IntoColumns, IntoSortColumns, exprs, misuse, sort_keys};
use vonk_error::Result;
use vonk_plan::unresolved::{Plan, Repartitioning};

impl DataFrame {
    fn moved(&self, to: Repartitioning) -> Result<DataFrame> {
        self.step(&Plan::Repartition { input: Box::new(self.input()), to })
    }

    /// Rows spread over so many partitions.
    pub fn repartition(&self, partitions: u32) -> Result<DataFrame> {
        self.moved(Repartitioning::RoundRobin(positive(partitions)?))
    }

    /// Rows spread by the hash of columns; over so many partitions, if that is said.
    #[track_caller]
    pub fn repartition_by(&self, partitions: Option<u32>, columns: impl IntoColumns) -> Result<DataFrame> {
        let partitions = partitions.map(positive).transpose()?;
        self.moved(Repartitioning::Hash(exprs(columns)?, partitions))
    }

    /// Rows spread by ranges of sort keys; over so many partitions, if that is said.
    #[track_caller]
    pub fn repartition_by_range(
        &self,
        partitions: Option<u32>,
        keys: impl IntoSortColumns,
    ) -> Result<DataFrame> {
        let keys = sort_keys(keys)?;
        if keys.is_empty() {
            return Err(misuse("At least one partition-by expression must be specified."));
        }
        self.moved(Repartitioning::Range(keys, partitions.map(positive).transpose()?))
    }

    /// Fewer partitions, made by putting some together.
    pub fn coalesce(&self, partitions: u32) -> Result<DataFrame> {
        self.moved(Repartitioning::Coalesce(positive(partitions)?))
    }
}

fn positive(partitions: u32) -> Result<u32> {
    match partitions {
        0 => Err(misuse("requirement failed: Number of partitions (0) must be positive.")),
        n => Ok(n),
    }
}

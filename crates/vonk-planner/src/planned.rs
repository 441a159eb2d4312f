//! A physical node with what the planner knows about its output.

use vonk_error::Result;
use vonk_eval::BoundExpr;
use vonk_physical::{Exchange, Partitioning, PhysicalPlan, PlanNode};
use vonk_plan::logical::{Column, ColumnId};
use vonk_types::{StructField, StructType};

/// How rows lie over partitions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Distribution {
    /// Nothing is known.
    Any,
    /// One partition.
    Single,
    /// Rows equal in these columns are in one partition.
    Hash(Vec<ColumnId>, u32),
}

/// A node, its columns by position, and its properties.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub node: PlanNode,
    pub columns: Vec<Column>,
    pub distribution: Distribution,
    /// Bytes the output is expected to have.
    pub bytes: f64,
}

impl Planned {
    /// A node over these columns.
    pub fn new(plan: PhysicalPlan, columns: Vec<Column>, distribution: Distribution, rows: f64) -> Self {
        let mut node = PlanNode::new(schema(&columns), plan);
        node.estimated_rows = Some(rows.clamp(0.0, 1e18) as u64);
        let distribution = if node.partitions() == 1 { Distribution::Single } else { distribution };
        Planned { node, columns, distribution, bytes: 0.0 }
    }

    /// Expected rows.
    pub fn rows(&self) -> f64 {
        self.node.estimated_rows.unwrap_or(0) as f64
    }

    /// Partitions.
    pub fn partitions(&self) -> u32 {
        self.node.partitions()
    }

    /// With its rows moved.
    pub fn exchanged(self, partitioning: Partitioning, distribution: Distribution) -> Planned {
        let rows = self.rows();
        let bytes = self.bytes;
        let exchange = PhysicalPlan::Exchange(Exchange { partitioning, input: Box::new(self.node) });
        Planned { bytes, ..Planned::new(exchange, self.columns, distribution, rows) }
    }

    /// In one partition.
    pub fn single(self) -> Planned {
        if self.partitions() == 1 {
            return self;
        }
        self.exchanged(Partitioning::Single, Distribution::Single)
    }

    /// As a broadcast.
    pub fn broadcast(self) -> Planned {
        self.exchanged(Partitioning::Broadcast, Distribution::Single)
    }

    /// Distributed so that rows equal in the keys meet: by hash into `partitions`, unless they do already.
    /// `ids` are the keys' columns where all of them are plain columns.
    pub fn hashed(self, keys: Vec<BoundExpr>, ids: Option<Vec<ColumnId>>, partitions: u32) -> Planned {
        if self.partitions() == 1 && partitions <= 1 {
            return self;
        }
        if let (Distribution::Hash(have, _), Some(want)) = (&self.distribution, &ids) {
            if !have.is_empty() && have.iter().all(|h| want.contains(h)) {
                return self;
            }
        }
        let distribution = ids.map_or(Distribution::Any, |ids| Distribution::Hash(ids, partitions));
        self.exchanged(Partitioning::Hash { keys, partitions }, distribution)
    }

    /// Exactly these columns in this order, by a projection if they are not so already.
    pub fn with_columns(self, wanted: &[Column]) -> Result<Planned> {
        if self.columns.iter().map(|c| c.id).eq(wanted.iter().map(|c| c.id)) {
            return Ok(self);
        }
        let mut binder = vonk_optimizer::bind::Binder::new(&self.columns);
        let exprs = wanted
            .iter()
            .map(|c| binder.bind(&vonk_plan::Expr::Column(c.clone())))
            .collect::<Result<Vec<_>>>()?;
        let (rows, bytes, distribution) = (self.rows(), self.bytes, self.distribution.clone());
        let plan = PhysicalPlan::Project { exprs, input: Box::new(self.node) };
        Ok(Planned { bytes, ..Planned::new(plan, wanted.to_vec(), distribution, rows) })
    }
}

/// Columns as a schema.
pub(crate) fn schema(columns: &[Column]) -> StructType {
    StructType::new(
        columns
            .iter()
            .map(|c| StructField::new(c.name.clone(), c.data_type.clone(), c.nullable))
            .collect::<Vec<_>>(),
    )
}

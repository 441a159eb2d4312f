//! ALTER TABLE, ALTER VIEW and ALTER DATABASE, and the statements that change rows in place.

use super::expr::{Expr, Name, TypeRef};
use super::plan::Plan;
use super::statement::{ColumnDef, Options, PartitionValue};

/// `ALTER TABLE|VIEW|DATABASE name action`, and what says the same in other words (`COMMENT ON`, `MSCK REPAIR TABLE`).
#[derive(Clone, PartialEq, Debug)]
pub struct Alter {
    /// What is altered.
    pub target: AlterTarget,
    /// Its name.
    pub name: Name,
    /// How the statement begins, as errors call it (`ALTER TABLE ... ADD COLUMNS`).
    pub operation: &'static str,
    /// What is done.
    pub action: AlterAction,
}

/// What ALTER alters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlterTarget {
    /// `ALTER TABLE`.
    Table,
    /// `ALTER VIEW`.
    View,
    /// `ALTER DATABASE|SCHEMA|NAMESPACE`.
    Database,
}

/// What ALTER does.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterAction {
    /// `ADD COLUMNS (…)`.
    AddColumns(Vec<NewColumn>),
    /// `ALTER COLUMN a …, b …`, `CHANGE COLUMN a a type COMMENT '…'`.
    ChangeColumns(Vec<(Name, ColumnChange)>),
    /// `RENAME COLUMN a TO b`.
    RenameColumn {
        /// The column.
        column: Name,
        /// Its new name.
        to: String,
    },
    /// `DROP COLUMNS [IF EXISTS] (…)`.
    DropColumns {
        /// `IF EXISTS`.
        if_exists: bool,
        /// The columns.
        columns: Vec<Name>,
    },
    /// `REPLACE COLUMNS (…)`.
    ReplaceColumns,
    /// `SET TBLPROPERTIES|DBPROPERTIES (…)`.
    SetProperties(Options),
    /// `UNSET TBLPROPERTIES|DBPROPERTIES [IF EXISTS] (…)`.
    UnsetProperties(Vec<String>),
    /// `SET SERDEPROPERTIES (…)`.
    SetSerdeProperties(Options),
    /// `SET SERDE '…'`.
    SetSerde,
    /// `[PARTITION (…)] SET LOCATION '…'`.
    SetLocation {
        /// The partition, if it is one's location.
        partition: Vec<PartitionValue>,
        /// Where to.
        location: String,
    },
    /// `COMMENT ON TABLE|DATABASE name IS '…'`.
    Comment(Option<String>),
    /// `ADD [IF NOT EXISTS] PARTITION (…) [LOCATION '…'] …`.
    AddPartitions {
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// The partitions, each with its location.
        partitions: Vec<(Vec<PartitionValue>, Option<String>)>,
    },
    /// `DROP [IF EXISTS] PARTITION (…), …`.
    DropPartitions {
        /// `IF EXISTS`.
        if_exists: bool,
        /// The partitions.
        partitions: Vec<Vec<PartitionValue>>,
    },
    /// `PARTITION (…) RENAME TO PARTITION (…)`.
    RenamePartition {
        /// The partition.
        from: Vec<PartitionValue>,
        /// Its new values.
        to: Vec<PartitionValue>,
    },
    /// `RECOVER PARTITIONS`, `MSCK REPAIR TABLE`.
    RecoverPartitions,
    /// `CLUSTER BY (…)`, `WITH SCHEMA …`: accepted, and without effect here.
    Hint,
}

/// A column of ADD COLUMNS.
#[derive(Clone, PartialEq, Debug)]
pub struct NewColumn {
    /// Its full name: of several parts within a struct.
    pub path: Name,
    /// Its definition.
    pub definition: ColumnDef,
}

/// What becomes of a column.
#[derive(Clone, PartialEq, Debug)]
pub enum ColumnChange {
    /// `TYPE t`, or a Hive-style CHANGE, with its comment.
    Type(TypeRef, Option<String>),
    /// `COMMENT '…'`.
    Comment(String),
    /// `SET|DROP NOT NULL`.
    Nullability,
    /// `FIRST`, `AFTER c`.
    Position,
    /// `SET DEFAULT e`, `DROP DEFAULT`.
    Default(Option<Expr>),
}

/// `DELETE`, `UPDATE`, `MERGE`: what changes rows in place, which no format of Vonk's can.
#[derive(Clone, PartialEq, Debug)]
pub struct RowChange {
    /// How errors call it.
    pub operation: &'static str,
    /// The table.
    pub table: Name,
    /// A query that has all the names of the statement: it is not run, only analyzed.
    pub names: Plan,
}

//! A catalog in memory: views, and tables that have a schema and no rows.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::unresolved::Plan;
use vonk_plan::{Catalog, Relation, ScanPlan, ScanRequest, TableName, TableSource, TableStatistics};
use vonk_types::{DataType, StructField, StructType};

/// See the module.
#[derive(Default)]
pub struct Memory {
    relations: HashMap<String, Relation>,
}

/// A table without rows.
#[derive(Debug)]
struct Empty(StructType);

impl TableSource for Empty {
    fn schema(&self) -> &StructType {
        &self.0
    }
    fn statistics(&self) -> TableStatistics {
        TableStatistics::default()
    }
    fn scan(&self, _: &ScanRequest<'_>) -> Result<ScanPlan> {
        vonk_error::internal_err!("not to be scanned")
    }
    fn describe(&self) -> String {
        "empty".into()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Memory {
    pub fn add_view(&mut self, name: &str, plan: Plan, text: &str, column_names: Option<Vec<String>>) {
        let view = Relation::View {
            name: TableName::new([name]),
            plan: Arc::new(plan),
            text: text.into(),
            column_names,
            database: None,
        };
        self.relations.insert(name.to_lowercase(), view);
    }

    pub fn add_table(&mut self, name: &str, columns: &[(&str, DataType)]) {
        let fields: Vec<StructField> =
            columns.iter().map(|(n, t)| StructField::new(*n, t.clone(), true)).collect();
        let table = Relation::Table {
            name: TableName::new([name]),
            source: Arc::new(Empty(StructType::new(fields))),
        };
        self.relations.insert(name.to_lowercase(), table);
    }

    pub fn add_tpch(&mut self) {
        use DataType::{Date, Int, Long, String};
        let money = DataType::Decimal(15, 2);
        let m = || money.clone();
        self.add_table(
            "customer",
            &[
                ("c_custkey", Long),
                ("c_name", String),
                ("c_address", String),
                ("c_nationkey", Long),
                ("c_phone", String),
                ("c_acctbal", m()),
                ("c_mktsegment", String),
                ("c_comment", String),
            ],
        );
        self.add_table(
            "lineitem",
            &[
                ("l_orderkey", Long),
                ("l_partkey", Long),
                ("l_suppkey", Long),
                ("l_linenumber", Int),
                ("l_quantity", m()),
                ("l_extendedprice", m()),
                ("l_discount", m()),
                ("l_tax", m()),
                ("l_returnflag", String),
                ("l_linestatus", String),
                ("l_shipdate", Date),
                ("l_commitdate", Date),
                ("l_receiptdate", Date),
                ("l_shipinstruct", String),
                ("l_shipmode", String),
                ("l_comment", String),
            ],
        );
        self.add_table(
            "nation",
            &[("n_nationkey", Long), ("n_name", String), ("n_regionkey", Long), ("n_comment", String)],
        );
        self.add_table(
            "orders",
            &[
                ("o_orderkey", Long),
                ("o_custkey", Long),
                ("o_orderstatus", String),
                ("o_totalprice", m()),
                ("o_orderdate", Date),
                ("o_orderpriority", String),
                ("o_clerk", String),
                ("o_shippriority", Int),
                ("o_comment", String),
            ],
        );
        self.add_table(
            "part",
            &[
                ("p_partkey", Long),
                ("p_name", String),
                ("p_mfgr", String),
                ("p_brand", String),
                ("p_type", String),
                ("p_size", Int),
                ("p_container", String),
                ("p_retailprice", m()),
                ("p_comment", String),
            ],
        );
        self.add_table(
            "partsupp",
            &[
                ("ps_partkey", Long),
                ("ps_suppkey", Long),
                ("ps_availqty", Int),
                ("ps_supplycost", m()),
                ("ps_comment", String),
            ],
        );
        self.add_table("region", &[("r_regionkey", Long), ("r_name", String), ("r_comment", String)]);
        self.add_table(
            "supplier",
            &[
                ("s_suppkey", Long),
                ("s_name", String),
                ("s_address", String),
                ("s_nationkey", Long),
                ("s_phone", String),
                ("s_acctbal", m()),
                ("s_comment", String),
            ],
        );
    }
}

impl Catalog for Memory {
    fn relation(&self, name: &[String]) -> Result<Option<Relation>> {
        Ok(match name {
            [name] => self.relations.get(&name.to_lowercase()).cloned(),
            _ => None,
        })
    }
    fn files(&self, _: &str, _: &str) -> Result<Option<Arc<dyn TableSource>>> {
        Ok(None)
    }
    fn current(&self) -> (String, String) {
        ("spark_catalog".into(), "default".into())
    }
}

//! The eight tables: schemas, sizes and generators.

use super::comments::WithComments;
use super::text;
use crate::conform::conform;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tpchgen::distribution::Distributions;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow,
    SupplierArrow,
};
use vonk_error::{Error, Result};
use vonk_types::StructType;

/// A table of TPC-H.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[allow(missing_docs)] // the names are the tables'
pub enum Table {
    Customer,
    Lineitem,
    Nation,
    Orders,
    Part,
    Partsupp,
    Region,
    Supplier,
}

/// All tables, by name.
pub const TABLES: [Table; 8] = [
    Table::Customer,
    Table::Lineitem,
    Table::Nation,
    Table::Orders,
    Table::Part,
    Table::Partsupp,
    Table::Region,
    Table::Supplier,
];

/// Batches of a part of a table.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

impl Table {
    /// Name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Table::Customer => "customer",
            Table::Lineitem => "lineitem",
            Table::Nation => "nation",
            Table::Orders => "orders",
            Table::Part => "part",
            Table::Partsupp => "partsupp",
            Table::Region => "region",
            Table::Supplier => "supplier",
        }
    }

    /// The table of a name, whatever its case.
    pub fn by_name(name: &str) -> Option<Table> {
        TABLES.into_iter().find(|t| t.name().eq_ignore_ascii_case(name))
    }

    /// Rows at a scale; lineitem's are near enough.
    pub fn rows(self, scale: f64) -> u64 {
        let base = match self {
            Table::Nation => return 25,
            Table::Region => return 5,
            Table::Customer => 150_000.0,
            Table::Lineitem => 6_001_215.0,
            Table::Orders => 1_500_000.0,
            Table::Part => 200_000.0,
            Table::Partsupp => 800_000.0,
            Table::Supplier => 10_000.0,
        };
        (base * scale) as u64
    }

    /// Parts that make sense at a scale: about a million rows each.
    pub fn parts(self, scale: f64) -> i32 {
        i32::try_from(self.rows(scale).div_ceil(1_000_000)).unwrap_or(i32::MAX).max(1)
    }

    fn arrow_schema(self) -> SchemaRef {
        match self {
            Table::Customer => CustomerArrow::schema_ref(),
            Table::Lineitem => LineItemArrow::schema_ref(),
            Table::Nation => NationArrow::schema_ref(),
            Table::Orders => OrderArrow::schema_ref(),
            Table::Part => PartArrow::schema_ref(),
            Table::Partsupp => PartSuppArrow::schema_ref(),
            Table::Region => RegionArrow::schema_ref(),
            Table::Supplier => SupplierArrow::schema_ref(),
        }
    }

    /// Columns. Nullable, as Spark reads any file's columns, though no value is null.
    pub fn schema(self) -> Result<StructType> {
        let foreign = StructType::from_arrow_fields(self.arrow_schema().fields())
            .map_err(|t| Error::internal(format!("no Spark type for {t}")))?;
        let fields: Vec<_> =
            foreign.fields.iter().map(|f| vonk_types::StructField { nullable: true, ..f.clone() }).collect();
        Ok(StructType::new(fields))
    }

    /// Where the column of comments is: the last one.
    pub(super) fn comment(self) -> Option<usize> {
        self.arrow_schema().fields().len().checked_sub(1)
    }

    /// Batches of part `part` (from 1) of `parts`, in the engine's types. Without `comments`, those are of no meaning: they are what takes
    /// long to begin.
    pub(super) fn batches(
        self,
        (scale, part, parts): (f64, i32, i32),
        rows: usize,
        comments: bool,
    ) -> Result<Batches> {
        let (schema, all) = (self.schema()?, Distributions::static_default());
        if self == Table::Supplier && comments {
            let generator = SupplierGenerator::new(scale, part, parts);
            // Made by the generator on the way.
            text::whole();
            return Ok(boxed(SupplierArrow::new(generator).with_batch_size(rows), schema));
        }
        macro_rules! of {
            ($arrow:ident, $generator:expr) => {{
                let generator = $arrow::new($generator);
                match comments {
                    true => boxed(WithComments::new(self, generator, rows), schema),
                    false => boxed(generator.with_batch_size(rows), schema),
                }
            }};
        }
        macro_rules! part {
            ($generator:ident) => {
                $generator::new_with_distributions_and_text_pool(scale, part, parts, all, text::none())
            };
        }
        Ok(match self {
            Table::Customer => of!(CustomerArrow, part!(CustomerGenerator)),
            Table::Lineitem => of!(LineItemArrow, part!(LineItemGenerator)),
            Table::Orders => of!(OrderArrow, part!(OrderGenerator)),
            Table::Part => of!(PartArrow, part!(PartGenerator)),
            Table::Partsupp => {
                of!(PartSuppArrow, PartSuppGenerator::new_with_text_pool(scale, part, parts, text::none()))
            }
            Table::Nation => {
                of!(NationArrow, NationGenerator::new_with_distributions_and_text_pool(all, text::none()))
            }
            Table::Region => {
                of!(RegionArrow, RegionGenerator::new_with_distributions_and_text_pool(all, text::none()))
            }
            Table::Supplier => {
                boxed(SupplierArrow::new(part!(SupplierGenerator)).with_batch_size(rows), schema)
            }
        })
    }
}

fn boxed<I, E>(batches: I, schema: StructType) -> Batches
where
    I: Iterator<Item = Result<RecordBatch, E>> + Send + 'static,
    E: std::fmt::Display,
{
    let arrow = schema.to_arrow_schema();
    Box::new(batches.map(move |b| {
        let b = b.map_err(|e| Error::internal(e.to_string()))?;
        let columns = b.columns().iter().zip(schema.fields.iter()).map(|(c, f)| conform(c, &f.data_type));
        Ok(RecordBatch::try_new(arrow.clone(), columns.collect::<Result<_>>()?)?)
    }))
}

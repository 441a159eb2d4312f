//! What parameters take: the implicit casts of arguments, or Spark's error.

use crate::coerce::turns_null;
use crate::resolve::{CallSite, Resolution};
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// What one parameter takes.
pub(crate) enum Takes<'a> {
    /// This type, or what is implicitly cast to it.
    To(DataType),
    /// One of these types as it is; else the first of them that it is implicitly cast to.
    OneOf(&'a [DataType]),
    /// This type as it is (or a null), with no cast.
    Only(DataType),
    /// Numbers as they are; strings and nulls become doubles.
    Numeric,
    /// tinyint to bigint as they are; nulls become ints.
    Integral,
}

/// A string.
pub(crate) const STR: Takes<'static> = Takes::To(DataType::String);
/// A binary.
pub(crate) const BIN: Takes<'static> = Takes::To(DataType::Binary);
/// An int.
pub(crate) const INT: Takes<'static> = Takes::To(DataType::Int);
/// A bigint.
pub(crate) const LONG: Takes<'static> = Takes::To(DataType::Long);
/// A double.
pub(crate) const DOUBLE: Takes<'static> = Takes::To(DataType::Double);
/// A boolean.
pub(crate) const BOOL: Takes<'static> = Takes::To(DataType::Boolean);
/// A string or a binary.
pub(crate) const TEXT: Takes<'static> = Takes::OneOf(&[DataType::String, DataType::Binary]);

impl CallSite<'_> {
    /// Types the arguments are cast to; parameters beyond the arguments given are optional ones left out.
    pub(crate) fn take(&self, params: &[Takes<'_>]) -> Result<Vec<DataType>> {
        params.iter().take(self.args.len()).enumerate().map(|(i, p)| self.take_one(i, p)).collect()
    }

    /// Every argument is taken by the same parameter.
    pub(crate) fn take_all(&self, param: &Takes<'_>) -> Result<Vec<DataType>> {
        (0..self.args.len()).map(|i| self.take_one(i, param)).collect()
    }

    /// The type that argument `i` is cast to.
    pub(crate) fn take_one(&self, i: usize, param: &Takes<'_>) -> Result<DataType> {
        let from = self.arg_type(i);
        match param {
            Takes::To(t) => self.implicit(i, t),
            Takes::Only(t) if from == t || *from == DataType::Null => Ok(t.clone()),
            Takes::Only(t) => Err(self.unexpected_type(i, &format!("\"{}\"", t.sql()))),
            Takes::OneOf(types) => {
                let found =
                    types.iter().find(|t| *t == from).or_else(|| types.iter().find(|t| self.casts(i, t)));
                found.cloned().ok_or_else(|| self.unexpected_type(i, &one_of(types)))
            }
            Takes::Numeric => match from {
                t if t.is_numeric() => Ok(t.clone()),
                DataType::String | DataType::Null => Ok(DataType::Double),
                _ => Err(self.unexpected_type(i, "\"NUMERIC\"")),
            },
            Takes::Integral => match from {
                t if t.is_integral() => Ok(t.clone()),
                DataType::Null => Ok(DataType::Int),
                _ => Err(self.unexpected_type(i, "\"INTEGRAL\"")),
            },
        }
    }

    /// A resolution of a function that is null for null arguments and no others.
    pub(crate) fn returns(&self, arg_types: Vec<DataType>, return_type: DataType) -> Result<Resolution> {
        let cast_to_null =
            |(a, t): (&crate::resolve::Arg, &DataType)| !self.ctx.ansi && turns_null(&a.data_type, t);
        let nullable = self.any_nullable()
            || self.args.iter().any(|a| a.data_type == DataType::Null)
            || self.args.iter().zip(&arg_types).any(cast_to_null);
        Ok(Resolution { arg_types, return_type, nullable })
    }

    /// A resolution of a function that can be null.
    pub(crate) fn returns_null(&self, arg_types: Vec<DataType>, return_type: DataType) -> Result<Resolution> {
        Ok(Resolution { arg_types, return_type, nullable: true })
    }

    /// A resolution of a function that is never null.
    pub(crate) fn returns_value(
        &self,
        arg_types: Vec<DataType>,
        return_type: DataType,
    ) -> Result<Resolution> {
        Ok(Resolution { arg_types, return_type, nullable: false })
    }

    /// Spark's error for an argument that must be a constant.
    pub(crate) fn not_foldable(&self, i: usize, name: &str, t: &DataType) -> Error {
        Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
            .with("inputName", format!("`{name}`"))
            .with("inputType", format!("\"{}\"", t.sql()))
            .with("inputExpr", format!("\"{}\"", self.args[i].sql))
            .at(self.span)
    }

    /// Spark's error for operands of different types.
    pub(crate) fn differing_operands(&self, left: &DataType, right: &DataType) -> Error {
        Error::new("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES")
            .with("left", format!("\"{}\"", left.sql()))
            .with("right", format!("\"{}\"", right.sql()))
            .at(self.span)
    }

    /// Spark's error for operands of one type that the operator does not take.
    pub(crate) fn wrong_operands(&self, required: &str, actual: &DataType) -> Error {
        Error::new("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE")
            .with("inputType", required)
            .with("actualDataType", format!("\"{}\"", actual.sql()))
            .at(self.span)
    }
}

/// `"A"`, or `("A" or "B")`.
fn one_of(types: &[DataType]) -> String {
    let names: Vec<String> = types
        .iter()
        .map(|t| match t {
            DataType::Decimal(..) => "\"DECIMAL\"".to_string(),
            t => format!("\"{}\"", t.sql()),
        })
        .collect();
    match names.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", names.join(" or ")),
    }
}

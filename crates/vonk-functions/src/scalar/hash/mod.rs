//! Hash functions and digests.

mod digest;
pub(super) mod murmur3;

use crate::aggregate::xxhash;
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, Int32Array, Int64Array};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// Seed of both hash functions.
const SEED: u32 = 42;

/// All hash functions.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let any = |name, docs, resolve, kernel| ScalarFunction {
        can_fail: false,
        null_propagating: false,
        ..ScalarFunction::new(name, docs, Arity::at_least(1), resolve, kernel)
    };
    let mut rows = vec![
        any(
            "hash",
            docs!(Hash, "hash(expr1, expr2, ...)", "A hash of the values, by Murmur3.", "2.0.0", [
                "SELECT hash('Spark', array(123), 2)" => "-1321691492",
            ]),
            |site| resolve(site, DataType::Int),
            hash,
        ),
        any(
            "xxhash64",
            docs!(Hash, "xxhash64(expr1, expr2, ...)", "A hash of the values, by xxHash.", "3.0.0", [
                "SELECT xxhash64('Spark', array(123), 2)" => "5602566077635097486",
            ]),
            |site| resolve(site, DataType::Long),
            xxhash64,
        ),
    ];
    rows.extend(digest::rows());
    rows
}

fn has_map(t: &DataType) -> bool {
    match t {
        DataType::Map(..) => true,
        DataType::Array(e, _) => has_map(e),
        DataType::Struct(s) => s.fields.iter().any(|f| has_map(&f.data_type)),
        _ => false,
    }
}

fn resolve(site: &CallSite<'_>, return_type: DataType) -> Result<Resolution> {
    if site.args.iter().any(|a| has_map(&a.data_type)) {
        return Err(Error::new("DATATYPE_MISMATCH.HASH_MAP_TYPE")
            .with("functionName", format!("`{}`", site.called_as))
            .at(site.span));
    }
    let types = site.args.iter().map(|a| a.data_type.clone()).collect();
    site.returns_value(types, return_type)
}

fn hash(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let mut seeds = vec![SEED; call.rows];
    for arg in call.args {
        murmur3::hash_rows(&arg.to_array(call.rows)?, &mut seeds);
    }
    Ok(Arc::new(Int32Array::from_iter_values(seeds.into_iter().map(|h| h as i32))))
}

fn xxhash64(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let mut seeds = vec![u64::from(SEED); call.rows];
    for arg in call.args {
        xxhash::hash_rows(&arg.to_array(call.rows)?, &mut seeds);
    }
    Ok(Arc::new(Int64Array::from_iter_values(seeds.into_iter().map(|h| h as i64))))
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;
    use vonk_types::DataType;

    // Asked of Spark.
    #[test]
    fn hashes() {
        let h = |a: Arg| run("hash", &[a]).remove(0);
        assert_eq!(h(int(1)), "-559580957");
        assert_eq!(h(long(1)), "-1712319331");
        assert_eq!(h(text("abc")), "1322437556");
        assert_eq!(h(text("")), "142593372");
        assert_eq!(h(text("abcdefghij")), "-1837419305");
        assert_eq!(h(text("é")), "2119106806");
        assert_eq!(h(null(DataType::Null)), "42");
        assert_eq!(h(double(1.5)), "1290763749");
        assert_eq!(h(double(-0.0)), "-1670924195");
        assert_eq!(h(double(f64::NAN)), "-1281358385");
        assert_eq!(h(boolean(true)), "-559580957");
        assert_eq!(h(dec("1.5")), "-18083236");
        assert_eq!(h(cast(dec("1.5"), DataType::Decimal(20, 2))), "-339019914");
        assert_eq!(h(cast(dec("-12345678901234567890"), DataType::Decimal(38, 0))), "8642122");
        assert_eq!(h(binary(&[1, 2])), "1964783052");
        assert_eq!(h(date("2020-01-01")), "-725858435");
        assert_eq!(run("hash", &[int(1), text("a")]), ["-936062819"]);
        assert_eq!(run("hash", &[ints(&[Some(1), None])]), ["-559580957", "42"]);
        assert_eq!(run("xxhash64", &[int(1), text("a")]), ["8205864924878002737"]);
        assert_eq!(run("xxhash64", &[text("abc")]), ["1423657621850124518"]);
    }

    #[test]
    fn digests() {
        assert_eq!(run("md5", &[text("Spark")]), ["8cde774d6f7333752ed72cacddb05126"]);
        assert_eq!(run("sha1", &[text("Spark")]), ["85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"]);
        let sha2 = |bits| run("sha2", &[text("Spark"), int(bits)]).remove(0);
        assert_eq!(sha2(0), "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b");
        assert_eq!(sha2(224), "dbeab94971678d36af2195851c0f7485775a2a7c60073d62fc04549c");
        assert_eq!(sha2(1), "NULL");
        assert_eq!(run("crc32", &[text("Spark")]), ["1557323817"]);
        assert_eq!(
            fails("hmac", &[text("abc"), text("key"), text("foo")]),
            "INVALID_PARAMETER_VALUE.HMAC_ALGORITHM"
        );
        assert_eq!(fails("md5", &[int(1)]), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
    }
}

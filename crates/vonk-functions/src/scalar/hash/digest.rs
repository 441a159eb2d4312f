//! `md5`, `sha1`, `sha2`, `crc32`.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::params::{BIN, INT, STR};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use arrow::datatypes::{Int32Type, Int64Type};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use std::fmt::Write;
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let hex = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(1),
            |site| site.returns(site.take(&[BIN])?, DataType::String),
            kernel,
        )
    };
    vec![
        hex(
            "md5",
            docs!(Hash, "md5(expr)", "The MD5 digest in hexadecimal digits.", "1.5.0", [
                "SELECT md5('Spark')" => "8cde774d6f7333752ed72cacddb05126",
            ]),
            digest::<Md5>,
        ),
        ScalarFunction {
            aliases: &["sha"],
            ..hex(
                "sha1",
                docs!(Hash, "sha1(expr)", "The SHA-1 digest in hexadecimal digits.", "1.5.0", [
                    "SELECT sha1('Spark')" => "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c",
                ]),
                digest::<Sha1>,
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "sha2",
                docs!(Hash, "sha2(expr, bitLength)", "A digest of the SHA-2 family of 224, 256 (or 0), 384 or 512 bits.", "1.5.0", [
                    "SELECT sha2('Spark', 256)" => "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b",
                ]),
                Arity::exactly(2),
                |site| site.returns_null(site.take(&[BIN, INT])?, DataType::String),
                sha2,
            )
        },
        ScalarFunction {
            display: Display::Custom(|name, args| match args {
                [key, message] => format!("{name}({key}, {message}, SHA-256)"),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "hmac",
                docs!(
                    Hash,
                    "hmac(key, message[, algorithm])",
                    "The keyed digest by SHA-224, SHA-256 (if nothing is said), SHA-384, SHA-512, SHA-1 or MD5.",
                    "4.3.0",
                    [
                        "SELECT hex(hmac('key', 'message'))" => "6E9EF29B75FFFC5B7ABAE527D58FDADB2FE42E7219011976917343065F58ED4A",
                    ]
                ),
                Arity::between(2, 3),
                |site| site.returns(site.take(&[BIN, BIN, STR])?, DataType::Binary),
                hmacs,
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "crc32",
                docs!(Hash, "crc32(expr)", "The cyclic redundancy check.", "1.5.0", ["SELECT crc32('Spark')" => "1557323817"]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[BIN])?, DataType::Long),
                |call| {
                    let bytes = call.bytes(0);
                    call.each::<Int64Type>(|row| Ok(Some(i64::from(crc32fast::hash(bytes.get(row))))))
                },
            )
        },
    ]
}

/// The keyed digest; keys longer than a block are digested first.
fn hmac<D: Digest>(key: &[u8], message: &[u8], block: usize, out: &mut Vec<u8>) {
    let mut padded = if key.len() > block { D::digest(key).to_vec() } else { key.to_vec() };
    padded.resize(block, 0);
    let with = |pad: u8, rest: &[u8]| {
        let pad: Vec<u8> = padded.iter().map(|b| b ^ pad).collect();
        D::new().chain_update(pad).chain_update(rest).finalize()
    };
    let inner = with(0x36, message);
    out.extend_from_slice(&with(0x5c, &inner));
}

fn hmacs(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (key, message) = (call.bytes(0), call.bytes(1));
    let algorithm = (call.args.len() > 2).then(|| call.strings(2));
    call.each_binary(|row, out| {
        let (key, message) = (key.get(row), message.get(row));
        let algorithm = algorithm.map_or("SHA-256", |a| a.get(row));
        if key.is_empty() {
            return Err(Error::new("INVALID_PARAMETER_VALUE.HMAC_CRYPTO_ERROR")
                .with("parameter", "`key`")
                .with("functionName", "`hmac`")
                .with("detailMessage", "Empty key"));
        }
        match algorithm.to_uppercase().replace('-', "").as_str() {
            "SHA224" => hmac::<Sha224>(key, message, 64, out),
            "SHA256" => hmac::<Sha256>(key, message, 64, out),
            "SHA384" => hmac::<Sha384>(key, message, 128, out),
            "SHA512" => hmac::<Sha512>(key, message, 128, out),
            "SHA1" => hmac::<Sha1>(key, message, 64, out),
            "MD5" => hmac::<Md5>(key, message, 64, out),
            _ => {
                return Err(Error::new("INVALID_PARAMETER_VALUE.HMAC_ALGORITHM")
                    .with("parameter", "`algorithm`")
                    .with("functionName", "`hmac`")
                    .with("algorithm", vonk_types::sql_literal::quote_string(algorithm)));
            }
        }
        Ok(true)
    })
}

fn write_hex(bytes: &[u8], out: &mut String) {
    for b in bytes {
        // Writing to a String does not fail.
        let _ = write!(out, "{b:02x}");
    }
}

fn digest<D: Digest>(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0);
    call.each_str(|row, out| {
        write_hex(&D::digest(bytes.get(row)), out);
        Ok(true)
    })
}

fn sha2(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (bytes, bits) = (call.bytes(0), call.values::<Int32Type>(1));
    call.each_str(|row, out| {
        let bytes = bytes.get(row);
        match bits.get(row) {
            224 => write_hex(&Sha224::digest(bytes), out),
            0 | 256 => write_hex(&Sha256::digest(bytes), out),
            384 => write_hex(&Sha384::digest(bytes), out),
            512 => write_hex(&Sha512::digest(bytes), out),
            _ => return Ok(false),
        }
        Ok(true)
    })
}

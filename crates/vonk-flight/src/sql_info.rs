//! What the server tells of itself (SqlInfo). Every value is what is: a zero is "no limit", as the protocol has it.
//!
//! Must not know: sessions.

use crate::service::failed;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    SqlInfo, SqlNullOrdering, SqlOuterJoinsSupportLevel, SqlSupportedCaseSensitivity, SqlSupportedGroupBy,
    SqlSupportedResultSetType, SqlSupportedSubqueries, SqlSupportedTransaction, SqlSupportedUnions,
    SqlSupportsConvert, SqlTransactionIsolationLevel, SupportedSqlGrammar,
};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use vonk_error::Result;
use vonk_functions::{Group, Registry};

/// For a server that may write.
pub fn data() -> Result<&'static SqlInfoData> {
    of_server(false)
}

/// For a server that may write or not.
pub fn of_server(read_only: bool) -> Result<&'static SqlInfoData> {
    static BOTH: [OnceLock<SqlInfoData>; 2] = [OnceLock::new(), OnceLock::new()];
    let cell = &BOTH[usize::from(read_only)];
    if let Some(data) = cell.get() {
        return Ok(data);
    }
    let mut builder = SqlInfoDataBuilder::new();
    server(&mut builder, read_only);
    language(&mut builder);
    names(&mut builder);
    limits(&mut builder);
    transactions(&mut builder);
    let data = builder.build().map_err(failed)?;
    Ok(cell.get_or_init(|| data))
}

/// Bits at these places.
fn bits(places: &[i32]) -> i32 {
    places.iter().fold(0, |all, place| all | 1 << place)
}

fn server(b: &mut SqlInfoDataBuilder, read_only: bool) {
    b.append(SqlInfo::FlightSqlServerName, "Vonk");
    b.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    b.append(SqlInfo::FlightSqlServerArrowVersion, "1.5");
    b.append(SqlInfo::FlightSqlServerReadOnly, read_only);
    b.append(SqlInfo::FlightSqlServerSql, true);
    b.append(SqlInfo::FlightSqlServerSubstrait, false);
    b.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    b.append(SqlInfo::FlightSqlServerCancel, true);
    b.append(SqlInfo::FlightSqlServerBulkIngestion, !read_only);
    b.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    b.append(SqlInfo::FlightSqlServerStatementTimeout, 0_i32);
    b.append(SqlInfo::FlightSqlServerTransactionTimeout, 0_i32);
}

fn language(b: &mut SqlInfoDataBuilder) {
    b.append(SqlInfo::SqlDdlCatalog, false);
    b.append(SqlInfo::SqlDdlSchema, true);
    b.append(SqlInfo::SqlDdlTable, true);
    b.append(SqlInfo::SqlAllTablesAreSelectable, true);
    // Ascending with nulls first, descending with nulls last.
    b.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedLow as i32);
    b.append(SqlInfo::SqlSupportsColumnAliasing, true);
    b.append(SqlInfo::SqlNullPlusNullIsNull, true);
    b.append(SqlInfo::SqlSupportsConvert, converts());
    b.append(SqlInfo::SqlSupportsTableCorrelationNames, true);
    b.append(SqlInfo::SqlSupportsDifferentTableCorrelationNames, false);
    b.append(SqlInfo::SqlSupportsExpressionsInOrderBy, true);
    b.append(SqlInfo::SqlSupportsOrderByUnrelated, true);
    let group_by = [SqlSupportedGroupBy::SqlGroupByUnrelated, SqlSupportedGroupBy::SqlGroupByBeyondSelect];
    b.append(SqlInfo::SqlSupportedGroupBy, bits(&group_by.map(|g| g as i32)));
    b.append(SqlInfo::SqlSupportsLikeEscapeClause, true);
    b.append(SqlInfo::SqlSupportsNonNullableColumns, true);
    let grammar = [SupportedSqlGrammar::SqlMinimumGrammar, SupportedSqlGrammar::SqlCoreGrammar];
    b.append(SqlInfo::SqlSupportedGrammar, bits(&grammar.map(|g| g as i32)));
    // Entry level.
    b.append(SqlInfo::SqlAnsi92SupportedLevel, 1_i32);
    b.append(SqlInfo::SqlSupportsIntegrityEnhancementFacility, false);
    // The protocol asks for a level, the JDBC driver, which alone uses it, looks for bits.
    let joins =
        [SqlOuterJoinsSupportLevel::SqlLimitedOuterJoins, SqlOuterJoinsSupportLevel::SqlFullOuterJoins];
    b.append(SqlInfo::SqlOuterJoinsSupportLevel, bits(&joins.map(|j| j as i32)));
    b.append(SqlInfo::SqlSupportedPositionedCommands, 0_i32);
    b.append(SqlInfo::SqlSelectForUpdateSupported, false);
    b.append(SqlInfo::SqlStoredProceduresSupported, false);
    let subqueries = [
        SqlSupportedSubqueries::SqlSubqueriesInComparisons,
        SqlSupportedSubqueries::SqlSubqueriesInExists,
        SqlSupportedSubqueries::SqlSubqueriesInIns,
    ];
    b.append(SqlInfo::SqlSupportedSubqueries, bits(&subqueries.map(|s| s as i32)));
    b.append(SqlInfo::SqlCorrelatedSubqueriesSupported, true);
    let unions = [SqlSupportedUnions::SqlUnion, SqlSupportedUnions::SqlUnionAll];
    b.append(SqlInfo::SqlSupportedUnions, bits(&unions.map(|u| u as i32)));
    b.append(SqlInfo::SqlNamedParametersSupported, true);
    b.append(SqlInfo::SqlBatchUpdatesSupported, true);
    b.append(SqlInfo::SqlLocatorsUpdateCopy, false);
    b.append(SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported, false);
}

fn names(b: &mut SqlInfoDataBuilder) {
    let insensitive = SqlSupportedCaseSensitivity::SqlCaseSensitivityCaseInsensitive as i32;
    b.append(SqlInfo::SqlIdentifierCase, insensitive);
    b.append(SqlInfo::SqlIdentifierQuoteChar, "`");
    b.append(SqlInfo::SqlQuotedIdentifierCase, insensitive);
    b.append(SqlInfo::SqlSearchStringEscape, "\\");
    b.append(SqlInfo::SqlExtraNameCharacters, "");
    b.append(SqlInfo::SqlSchemaTerm, "schema");
    b.append(SqlInfo::SqlProcedureTerm, "procedure");
    b.append(SqlInfo::SqlCatalogTerm, "catalog");
    b.append(SqlInfo::SqlCatalogAtStart, true);
    b.append(SqlInfo::SqlSchemasSupportedActions, 0_i32);
    b.append(SqlInfo::SqlCatalogsSupportedActions, 0_i32);
    b.append(SqlInfo::SqlKeywords, vonk::keywords().map(str::to_string).collect::<Vec<_>>());
    let of = |families: &[Group]| -> Vec<String> {
        let functions = Registry::builtin().iter().filter(|(name, _)| !name.starts_with('_'));
        let functions = functions.filter(|(_, f)| families.contains(&f.docs().group));
        let mut names: Vec<String> = functions.map(|(name, _)| name.to_string()).collect();
        names.sort();
        names.dedup();
        names
    };
    b.append(SqlInfo::SqlNumericFunctions, of(&[Group::Math, Group::Bitwise]));
    b.append(SqlInfo::SqlStringFunctions, of(&[Group::String, Group::Url]));
    b.append(SqlInfo::SqlSystemFunctions, of(&[Group::Misc]));
    b.append(SqlInfo::SqlDatetimeFunctions, of(&[Group::Datetime]));
}

fn limits(b: &mut SqlInfoDataBuilder) {
    for unlimited in [
        SqlInfo::SqlMaxBinaryLiteralLength,
        SqlInfo::SqlMaxCharLiteralLength,
        SqlInfo::SqlMaxColumnNameLength,
        SqlInfo::SqlMaxColumnsInGroupBy,
        SqlInfo::SqlMaxColumnsInIndex,
        SqlInfo::SqlMaxColumnsInOrderBy,
        SqlInfo::SqlMaxColumnsInSelect,
        SqlInfo::SqlMaxColumnsInTable,
        SqlInfo::SqlMaxConnections,
        SqlInfo::SqlMaxCursorNameLength,
        SqlInfo::SqlMaxIndexLength,
        SqlInfo::SqlDbSchemaNameLength,
        SqlInfo::SqlMaxProcedureNameLength,
        SqlInfo::SqlMaxCatalogNameLength,
        SqlInfo::SqlMaxRowSize,
        SqlInfo::SqlMaxStatementLength,
        SqlInfo::SqlMaxStatements,
        SqlInfo::SqlMaxTableNameLength,
        SqlInfo::SqlMaxTablesInSelect,
        SqlInfo::SqlMaxUsernameLength,
    ] {
        b.append(unlimited, 0_i64);
    }
    b.append(SqlInfo::SqlMaxRowSizeIncludesBlobs, true);
}

fn transactions(b: &mut SqlInfoDataBuilder) {
    b.append(
        SqlInfo::SqlDefaultTransactionIsolation,
        SqlTransactionIsolationLevel::SqlTransactionNone as i64,
    );
    b.append(SqlInfo::SqlTransactionsSupported, false);
    let none = [SqlTransactionIsolationLevel::SqlTransactionNone as i32];
    b.append(SqlInfo::SqlSupportedTransactionsIsolationLevels, bits(&none));
    b.append(SqlInfo::SqlDataDefinitionCausesTransactionCommit, false);
    b.append(SqlInfo::SqlDataDefinitionsInTransactionsIgnored, false);
    let forward = [SqlSupportedResultSetType::SqlResultSetTypeForwardOnly as i32];
    b.append(SqlInfo::SqlSupportedResultSetTypes, bits(&forward));
    for concurrency in [
        SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive,
    ] {
        b.append(concurrency, 0_i32);
    }
    // Read-only, forward-only.
    b.append(SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly, bits(&[1]));
    b.append(SqlInfo::SqlSavepointsSupported, false);
}

/// Which types are cast to which, in ANSI mode, for the types that the protocol names.
fn converts() -> BTreeMap<i32, Vec<i32>> {
    use SqlSupportsConvert as C;
    let numbers = [
        C::SqlConvertTinyint,
        C::SqlConvertSmallint,
        C::SqlConvertInteger,
        C::SqlConvertBigint,
        C::SqlConvertReal,
        C::SqlConvertFloat,
        C::SqlConvertDecimal,
        C::SqlConvertNumeric,
    ];
    let texts = [C::SqlConvertChar, C::SqlConvertVarchar, C::SqlConvertLongvarchar];
    let times = [C::SqlConvertDate, C::SqlConvertTimestamp];
    let list = |groups: &[&[C]]| groups.concat().into_iter().map(|c| c as i32).collect::<Vec<i32>>();
    let mut map = BTreeMap::new();
    for n in numbers {
        map.insert(n as i32, list(&[&numbers, &texts, &[C::SqlConvertBit]]));
    }
    for t in texts {
        let others = [C::SqlConvertBit, C::SqlConvertBinary, C::SqlConvertVarbinary];
        let intervals = [C::SqlConvertIntervalDayTime, C::SqlConvertIntervalYearMonth];
        map.insert(t as i32, list(&[&numbers, &texts, &times, &others, &intervals]));
    }
    for t in times {
        map.insert(t as i32, list(&[&times, &texts]));
    }
    map.insert(C::SqlConvertBit as i32, list(&[&numbers, &texts, &[C::SqlConvertBit]]));
    for b in [C::SqlConvertBinary, C::SqlConvertVarbinary] {
        map.insert(b as i32, list(&[&texts, &[C::SqlConvertBinary, C::SqlConvertVarbinary]]));
    }
    for i in [C::SqlConvertIntervalDayTime, C::SqlConvertIntervalYearMonth] {
        map.insert(i as i32, list(&[&texts, &[i]]));
    }
    map
}

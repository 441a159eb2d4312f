//! The table of error conditions: name, SQLSTATE, message template (`<name>` is a parameter).
//!
//! Names, SQLSTATEs and parameters are Spark's (error-conditions.json); those of ours begin with an underscore. Sorted by name,
//! one row each; a test holds the order.

/// One row of the table.
#[derive(Debug)]
pub struct Condition {
    /// Spark's name, with its subcondition after a dot.
    pub name: &'static str,
    /// Five characters.
    pub sql_state: &'static str,
    /// Message with `<parameter>` places.
    pub message: &'static str,
}

const fn row(name: &'static str, sql_state: &'static str, message: &'static str) -> Condition {
    Condition { name, sql_state, message }
}

/// Looks a condition up by name.
pub fn find(name: &str) -> Option<&'static Condition> {
    CONDITIONS.binary_search_by(|c| c.name.cmp(name)).ok().map(|i| &CONDITIONS[i])
}

/// All conditions, sorted by name (byte order).
#[rustfmt::skip]
pub static CONDITIONS: &[Condition] = &[
    row("AMBIGUOUS_LATERAL_COLUMN_ALIAS", "42702", "Lateral column alias <name> is ambiguous and has <n> matches."),
    row("AMBIGUOUS_REFERENCE", "42704", "Reference <name> is ambiguous, could be: <referenceNames>."),
    row("ARITHMETIC_OVERFLOW", "22003", "<message>.<alternative> If necessary set <config> to \"false\" to bypass this error."),
    row("BINARY_ARITHMETIC_OVERFLOW", "22003", "<value1> <symbol> <value2> caused overflow. Use <functionName> to ignore overflow problem and return NULL."),
    row("CANNOT_PARSE_DATATYPE", "22018", "Cannot parse datatype: <dataType>."),
    row("CAST_INVALID_INPUT", "22018", "The value <expression> of the type <sourceType> cannot be cast to <targetType> because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead."),
    row("CAST_OVERFLOW", "22003", "The value <value> of the type <sourceType> cannot be cast to <targetType> due to an overflow. Use `try_cast` to tolerate overflow and return NULL instead."),
    row("CATALOG_NOT_FOUND", "42P08", "The catalog <catalogName> not found. Consider to set the SQL config \"spark.sql.catalog.<catalogName>\" to a catalog plugin."),
    row("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "56038", "The codec <codecName> is not available. Available codecs are <availableCodecs>."),
    row("COLUMN_ALREADY_EXISTS", "42711", "The column <columnName> already exists. Choose another name or rename the existing column."),
    row("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: the left and right operands of the binary operator have incompatible types (<left> and <right>)."),
    row("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: the binary operator requires the input type <inputType>, not <actualDataType>."),
    row("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: cannot cast <srcType> to <targetType>."),
    row("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: cannot cast <srcType> to <targetType> with ANSI mode on. If you have to cast <srcType> to <targetType>, you can set <config> as <configVal>."),
    row("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: cannot cast <srcType> to <targetType>. To convert values from <srcType> to <targetType>, you can use the functions <functionNames> instead."),
    row("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: Input to <functionName> should all be the same type, but it's <dataType>."),
    row("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: Filter expression <filter> of type <type> is not a boolean."),
    row("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: The <functionName> does not support ordering on type <dataType>."),
    row("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: the input <inputName> should be a foldable <inputType> expression; however, got <inputExpr>."),
    row("DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: The data type of the column (<columnIndex>) do not have the same type: <leftType> (<leftParamIndex>) <> <rightType> (<rightParamIndex>)."),
    row("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: The <paramIndex> parameter requires the <requiredType> type, however <inputSql> has the type <inputType>."),
    row("DATATYPE_MISMATCH.UNEXPECTED_NULL", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: The <exprName> must not be null."),
    row("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: The input of <functionName> can't be <dataType> type data."),
    row("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "Cannot resolve <sqlExpr> due to data type mismatch: The <exprName> must be between <valueRange> (current value = <currentValue>)."),
    row("DATETIME_OVERFLOW", "22008", "Datetime operation overflow: <operation>."),
    row("DIVIDE_BY_ZERO", "22012", "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set <config> to \"false\" to bypass this error."),
    row("FAILED_FUNCTION_CALL", "38000", "Failed preparing of the function <funcName> for call. Please, double check function's arguments."),
    row("GROUP_BY_AGGREGATE", "42903", "Aggregate functions are not allowed in GROUP BY, but found <sqlExpr>."),
    row("GROUP_BY_POS_AGGREGATE", "42903", "GROUP BY <index> refers to an expression <aggExpr> that contains an aggregate function. Aggregate functions are not allowed in GROUP BY."),
    row("GROUP_BY_POS_OUT_OF_RANGE", "42805", "GROUP BY position <index> is not in select list (valid range is [1, <size>])."),
    row("INCOMPATIBLE_COLUMN_TYPE", "42825", "<operator> can only be performed on tables with compatible column types. The <columnOrdinalNumber> column of the <tableOrdinalNumber> table is <dataType1> type which is not compatible with <dataType2> at the same column of the first table.<hint>."),
    row("INTERNAL_ERROR", "XX000", "<message>"),
    row("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015", "Integer overflow while operating with intervals. Use <functionName> to tolerate overflow and return NULL instead."),
    row("INTERVAL_DIVIDED_BY_ZERO", "22012", "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead."),
    row("INVALID_ARRAY_INDEX", "22003", "The index <indexValue> is out of bounds. The array has <arraySize> elements. Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead."),
    row("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003", "The index <indexValue> is out of bounds. The array has <arraySize> elements. Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead."),
    row("INVALID_CONF_VALUE.TIME_ZONE", "22022", "The value '<confValue>' in the config \"<confName>\" is invalid. Cannot resolve the given timezone."),
    row("INVALID_CONF_VALUE.TYPE_MISMATCH", "22022", "The value '<confValue>' in the config \"<confName>\" is invalid. It should be of the type <confType>."),
    row("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "22006", "Error parsing '<input>' to interval. Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format. Error parsing interval <interval> string."),
    row("INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "22006", "Error parsing '<input>' to interval. Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format. The interval value must be in the range of [-18, +18] hours with second precision."),
    row("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "22006", "Error parsing '<input>' to interval. Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format. Interval string does not match <intervalStr> format of <supportedFormat> when cast to <typeName>: <input>."),
    row("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE", "22006", "Error parsing '<input>' to interval. Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format. Interval string does not match <intervalStr> format of <supportedFormat> when cast to <typeName>: <input>. Set \"spark.sql.legacy.fromDayTimeString.enabled\" to \"true\" to restore the behavior before Spark 3.0."),
    row("INVALID_PARAMETER_VALUE.SCALE", "22023", "The value of the scale factor is invalid: expected a number above 0 and at most 100000, got <scale>."),
    row("INVALID_SCHEMA_OR_RELATION_NAME", "42602", "<name> is not a valid name for tables/schemas. Valid names only contain alphabet characters, numbers and _."),
    row("MISSING_AGGREGATION", "42803", "The non-aggregating expression <expression> is based on columns which are not participating in the GROUP BY clause. Add the columns or the expression to the GROUP BY, aggregate the expression, or use <expressionAnyValue> if you do not care which of the values within a group is returned."),
    row("MISSING_GROUP_BY", "42803", "The query does not include a GROUP BY clause. Add GROUP BY or turn it into the window functions using OVER clauses."),
    row("NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION", "22003", "Found the negative value in <frequencyExpression>: <negativeValue>, but expected a positive integral value."),
    row("NESTED_AGGREGATE_FUNCTION", "42607", "It is not allowed to use an aggregate function in the argument of another aggregate function. Please use the inner aggregate function in a sub-query."),
    row("NULL_MAP_KEY", "2200E", "Cannot use null as map key."),
    row("NUMERIC_OUT_OF_SUPPORTED_RANGE", "22003", "The value <value> cannot be interpreted as a numeric since it has more than 38 digits."),
    row("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", " <value> cannot be represented as Decimal(<precision>, <scale>). If necessary set <config> to \"false\" to bypass this error, and return NULL instead."),
    row("NUM_COLUMNS_MISMATCH", "42826", "<operator> can only be performed on inputs with the same number of columns, but the first input has <firstNumColumns> columns and the <invalidOrdinalNum> input has <invalidNumColumns> columns."),
    row("OPERATION_CANCELED", "HY008", "Operation has been canceled."),
    row("ORDER_BY_POS_OUT_OF_RANGE", "42805", "ORDER BY position <index> is not in select list (valid range is [1, <size>])."),
    row("PARSE_EMPTY_STATEMENT", "42617", "Syntax error, unexpected empty statement."),
    row("PARSE_SYNTAX_ERROR", "42601", "Syntax error at or near <error><hint>."),
    row("PATH_NOT_FOUND", "42K03", "Path does not exist: <path>."),
    row("REMAINDER_BY_ZERO", "22012", "Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead. If necessary set <config> to \"false\" to bypass this error."),
    row("SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", "More than one row returned by a subquery used as an expression."),
    row("SCHEMA_ALREADY_EXISTS", "42P06", "Cannot create schema <schemaName> because it already exists. Choose a different name, drop the existing schema, or add the IF NOT EXISTS clause to tolerate pre-existing schema."),
    row("SCHEMA_NOT_EMPTY", "2BP01", "Cannot drop a schema <schemaName> because it contains objects. Use DROP SCHEMA ... CASCADE to drop the schema and all its objects."),
    row("SCHEMA_NOT_FOUND", "42704", "The schema <schemaName> cannot be found. Verify the spelling and correctness of the schema and catalog. If you did not qualify the name with a catalog, verify the current_schema() output, or qualify the name with the correct catalog. To tolerate the error on drop use DROP SCHEMA IF EXISTS."),
    row("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "Cannot create table or view <relationName> because it already exists. Choose a different name, drop or replace the existing object, add the IF NOT EXISTS clause to tolerate pre-existing objects, or add the OR REFRESH clause to refresh the existing streaming table."),
    row("TABLE_OR_VIEW_NOT_FOUND", "42P01", "The table or view <relationName> cannot be found. Verify the spelling and correctness of the schema and catalog. If you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog. To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS."),
    row("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "Cannot create the temporary view <relationName> because it already exists. Choose a different name, drop or replace the existing view,  or add the IF NOT EXISTS clause to tolerate pre-existing views."),
    row("UNABLE_TO_INFER_SCHEMA", "42KD9", "Unable to infer schema for <format>. It must be specified manually."),
    row("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", "A column, variable, or function parameter with name <objectName> cannot be resolved."),
    row("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column, variable, or function parameter with name <objectName> cannot be resolved. Did you mean one of the following? [<proposal>]."),
    row("UNRESOLVED_ROUTINE", "42883", "Cannot resolve routine <routineName> on search path <searchPath>."),
    row("UNRESOLVED_VARIABLE", "42883", "Cannot resolve variable <variableName> on search path <searchPath>."),
    row("UNSUPPORTED_FEATURE.DROP_DATABASE", "0A000", "The feature is not supported: Drop the default database <database>."),
    row("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.MUST_AGGREGATE_CORRELATED_SCALAR_SUBQUERY", "0A000", "Unsupported subquery expression: Correlated scalar subqueries must be aggregated to return at most one row."),
    row("VARIABLE_ALREADY_EXISTS", "42723", "Cannot create the variable <variableName> because it already exists. Choose a different name, or drop or replace the existing variable."),
    row("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The <functionName> requires <expectedNum> parameters but the actual number is <actualNum>. Please, refer to '<docroot>/sql-ref-functions.html' for a fix."),
    row("_CORRUPT_FILE", "58030", "The file <path> cannot be read as <format>: <cause>"),
    row("_FETCH_FAILED", "58030", "A shuffle block could not be fetched: <cause>"),
    row("_INCOMPATIBLE_FILE_SCHEMA", "42K0A", "The file <path> has column <column> of type <found>, expected <expected>."),
    row("_INVALID_ARGUMENT", "22023", "The argument <argument> is not understood: expected <expected>."),
    row("_INVALID_MASTER", "22023", "<master> is not a master URL: expected local, local[N], local[*], local-cluster[E,C,M] or vonk://host:port."),
    row("_INVALID_REQUEST", "22023", "The request is not understood: <cause>."),
    row("_IO_ERROR", "58030", "<what>: <cause>"),
    row("_LEGACY_ERROR_TEMP_1035", "42000", "Window function <prettyName> offset must not be null."),
    row("_LEGACY_ERROR_TEMP_1104", "42000", "The second argument should be a double literal."),
    row("_LEGACY_ERROR_TEMP_1210", "42000", "The second argument in <funcName> should be a boolean literal."),
    row("_OUT_OF_MEMORY", "53200", "<consumer> needs <needed> bytes of memory, <available> of <limit> are available, and nothing more can be spilled."),
    row("_STATEMENT_TOO_COMPLEX", "54001", "The statement is too complex: <what> exceeds the limit of <limit>."),
    row("_UNSUPPORTED_IN_VONK", "0A000", "Not supported by Vonk: <what>."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_well_formed() {
        for w in CONDITIONS.windows(2) {
            assert!(w[0].name < w[1].name, "{} must come before {}", w[1].name, w[0].name);
        }
        for c in CONDITIONS {
            assert_eq!(c.sql_state.len(), 5, "{}", c.name);
            assert_eq!(find(c.name).map(|f| f.name), Some(c.name));
        }
    }
}

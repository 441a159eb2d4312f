import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Properties;

/**
 * The Flight SQL JDBC driver against a server: java VonkJdbc URL [USER PASSWORD] [--executors]. Ends with 0 if all is as it should be.
 * --executors: its tasks run on executors, whose rows come when their task has ended.
 */
public class VonkJdbc {
  static void same(Object expected, Object found, String what) {
    boolean same = expected instanceof byte[] && found instanceof byte[]
        ? Arrays.equals((byte[]) expected, (byte[]) found)
        : Objects.equals(expected, found);
    if (!same) {
      throw new AssertionError(what + ": expected " + expected + ", found " + found
          + (found == null ? "" : " (" + found.getClass().getName() + ")"));
    }
  }

  /** Rows as text, columns joined by commas. */
  static List<String> rows(ResultSet r) throws SQLException {
    List<String> rows = new ArrayList<>();
    int n = r.getMetaData().getColumnCount();
    while (r.next()) {
      List<String> row = new ArrayList<>();
      for (int i = 1; i <= n; i++) {
        row.add(r.getString(i));
      }
      rows.add(String.join(",", row.stream().map(String::valueOf).toArray(String[]::new)));
    }
    r.close();
    return rows;
  }

  static List<String> query(Connection c, String sql) throws SQLException {
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
      return rows(r);
    }
  }

  static void types(Connection c) throws SQLException {
    Object[][] cases = {
      {"true", Types.BOOLEAN, true},
      {"1Y", Types.TINYINT, (byte) 1},
      {"2S", Types.SMALLINT, (short) 2},
      {"3", Types.INTEGER, 3},
      {"4L", Types.BIGINT, 4L},
      {"1.5F", Types.FLOAT, 1.5},
      {"2.5D", Types.DOUBLE, 2.5},
      {"1.25", Types.DECIMAL, new BigDecimal("1.25")},
      {"CAST('12345678901234567890.12' AS DECIMAL(38,2))", Types.DECIMAL, new BigDecimal("12345678901234567890.12")},
      {"'é\uD83D\uDE00'", Types.VARCHAR, "é\uD83D\uDE00"},
      {"X'00FF'", Types.VARBINARY, new byte[] {0, -1}},
      {"DATE'2024-01-02'", Types.DATE, Date.valueOf("2024-01-02")},
      {"TIMESTAMP_NTZ'2024-01-02 03:04:05.123456'", Types.TIMESTAMP, Timestamp.valueOf("2024-01-02 03:04:05.123456")},
      {"INTERVAL '1-2' YEAR TO MONTH", Types.JAVA_OBJECT, "P14M PT0S"},
      {"INTERVAL '1 02:03:04.5' DAY TO SECOND", Types.JAVA_OBJECT, Duration.ofDays(1).plusSeconds(7384).plusMillis(500)},
      {"make_interval(1, 2, 3, 4, 5, 6, 7.5)", Types.JAVA_OBJECT, "P14M25D PT5H6M7.5S"},
    };
    for (Object[] test : cases) {
      String text = (String) test[0];
      Object expected = Nested.plain(test[2]);
      String sql = "SELECT if(id = 1, " + text + ", null) AS x FROM range(3) ORDER BY id";
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
        same(test[1], r.getMetaData().getColumnType(1), text + ": type");
        for (int i = 0; i < 3; i++) {
          r.next();
          Object found = Nested.plain(r.getObject(1));
          same(i != 1, r.wasNull(), text + ": null");
          same(i == 1 ? expected : null, found, text);
        }
        same(false, r.next(), text + ": three rows");
      }
    }
    // A moment: the driver has no getObject(int) for it.
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT TIMESTAMP'2024-01-02 03:04:05.123456Z' AS x, CAST(null AS TIMESTAMP)")) {
      r.next();
      same(OffsetDateTime.parse("2024-01-02T03:04:05.123456Z"), r.getObject(1, OffsetDateTime.class), "timestamp");
      same(Timestamp.valueOf("2024-01-02 03:04:05.123456"), r.getTimestamp(1), "timestamp in UTC");
      same(null, r.getTimestamp(2), "no timestamp");
    }
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT CAST(1.5 AS DECIMAL(12,4)) AS p, 'x' AS q")) {
      ResultSetMetaData m = r.getMetaData();
      same("p DECIMAL 12 4", m.getColumnName(1) + " " + m.getColumnTypeName(1) + " " + m.getPrecision(1) + " " + m.getScale(1), "metadata");
    }
    System.out.println("types ok");
  }

  static void updates(Connection c) throws SQLException {
    try (Statement s = c.createStatement()) {
      same(false, s.execute("CREATE TABLE jdbc_t (b BOOLEAN, i8 TINYINT, i16 SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, "
          + "p DECIMAL(10,2), w DECIMAL(38,2), s STRING, x BINARY, dt DATE, tn TIMESTAMP_NTZ, ts TIMESTAMP, xs ARRAY<INT>) USING parquet"), "no rows");
      same(2, s.executeUpdate("INSERT INTO jdbc_t (i, s) VALUES (100, 'a'), (101, 'b')"), "two rows");
    }
    Timestamp moment = Timestamp.valueOf("2024-01-02 03:04:05.123");
    try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      same(15, p.getParameterMetaData().getParameterCount(), "parameters");
      for (int row = 0; row < 2; row++) {
        Object[] values = {true, (byte) 1, (short) 2, 3 + row, 4L, 1.5f, 2.5, new BigDecimal("1.25"),
          new BigDecimal("12345678901234567890.12"), "é", new byte[] {0, -1}, Date.valueOf("2024-01-02"), moment, moment,
          c.createArrayOf("INTEGER", new Integer[] {1, 2})};
        for (int i = 0; i < values.length; i++) {
          if (row == 1 && i != 3) {
            p.setNull(i + 1, Types.NULL);
          } else if (values[i] instanceof Array) {
            p.setArray(i + 1, (Array) values[i]);
          } else {
            p.setObject(i + 1, values[i]);
          }
        }
        same(1, p.executeUpdate(), "one row");
      }
    }
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT * FROM jdbc_t WHERE i < 100 ORDER BY i")) {
      r.next();
      same(true, r.getBoolean(1), "b");
      same((byte) 1, r.getByte(2), "i8");
      same((short) 2, r.getShort(3), "i16");
      same(3, r.getInt(4), "i");
      same(4L, r.getLong(5), "l");
      same(1.5f, r.getFloat(6), "f");
      same(2.5, r.getDouble(7), "d");
      same(new BigDecimal("1.25"), r.getBigDecimal(8), "p");
      same(new BigDecimal("12345678901234567890.12"), r.getBigDecimal(9), "w");
      same("é", r.getString(10), "s");
      same(true, Arrays.equals(new byte[] {0, -1}, r.getBytes(11)), "x");
      same(Date.valueOf("2024-01-02"), r.getDate(12), "dt");
      same(moment, r.getTimestamp(13), "tn");
      same(moment, r.getTimestamp(14), "ts");
      same(Arrays.asList(1, 2), Nested.plain(r.getObject(15)), "xs");
      r.next();
      for (int i = 1; i <= 15; i++) {
        if (i != 4) {
          r.getString(i);
          same(true, r.wasNull(), "null in column " + i);
        }
      }
    }
    try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_t (i, s) VALUES (?, ?)")) {
      for (int i = 0; i < 5; i++) {
        p.setInt(1, 1000 + i);
        p.setString(2, "batch " + i);
        p.addBatch();
      }
      p.executeBatch();
    }
    same(List.of("5"), query(c, "SELECT count(*) FROM jdbc_t WHERE i >= 1000"), "a batch");
    try (PreparedStatement p = c.prepareStatement("SELECT i, ? AS t FROM jdbc_t WHERE i > ? AND s LIKE ? ORDER BY i LIMIT ?")) {
      for (int n = 1; n <= 2; n++) {
        p.setString(1, "it's");
        p.setInt(2, 100);
        p.setString(3, "batch%");
        p.setInt(4, n);
        List<String> found = rows(p.executeQuery());
        same(n, found.size(), "limit");
        same("1000,it's", found.get(0), "first");
      }
    }
    System.out.println("updates ok");
  }

  /** What DBeaver asks when it connects and opens the tree. */
  static void metadata(Connection c) throws SQLException {
    DatabaseMetaData m = c.getMetaData();
    same("Vonk", m.getDatabaseProductName(), "product");
    same("`", m.getIdentifierQuoteString(), "quote");
    same(false, m.supportsTransactions(), "transactions");
    same(Connection.TRANSACTION_NONE, m.getDefaultTransactionIsolation(), "isolation");
    same(true, m.supportsFullOuterJoins() && m.supportsUnionAll() && m.supportsCorrelatedSubqueries(), "language");
    m.getDatabaseProductVersion();
    m.getDriverName();
    m.getDriverVersion();
    m.getSearchStringEscape();
    m.getSQLKeywords();
    m.getStringFunctions();
    m.getNumericFunctions();
    m.getSystemFunctions();
    m.getTimeDateFunctions();
    m.getExtraNameCharacters();
    m.getCatalogTerm();
    m.getSchemaTerm();
    m.getProcedureTerm();
    m.getCatalogSeparator();
    m.isCatalogAtStart();
    m.storesUpperCaseIdentifiers();
    m.storesLowerCaseIdentifiers();
    m.storesMixedCaseIdentifiers();
    m.supportsMixedCaseIdentifiers();
    m.supportsMixedCaseQuotedIdentifiers();
    m.supportsCatalogsInDataManipulation();
    m.supportsSchemasInDataManipulation();
    m.supportsBatchUpdates();
    m.supportsMultipleResultSets();
    m.supportsStoredProcedures();
    m.getMaxStatements();
    m.getMaxConnections();
    rows(m.getTypeInfo());
    same(List.of("samples", "spark_catalog"), rows(m.getCatalogs()), "catalogs");
    same(true, rows(m.getSchemas()).contains("default,spark_catalog"), "schemas");
    rows(m.getSchemas("samples", "t%"));
    same(true, rows(m.getTableTypes()).containsAll(List.of("TABLE", "VIEW")), "table types");
    same(8, rows(m.getTables("samples", "tpch", "%", null)).size(), "tables");
    same(1, rows(m.getTables("samples", "tpch", "NATION", new String[] {"TABLE", "VIEW"})).size(), "one table");
    List<String> columns = new ArrayList<>();
    try (ResultSet r = m.getColumns("samples", "tpch", "lineitem", "l_%key")) {
      while (r.next()) {
        columns.add(r.getString("COLUMN_NAME") + " " + r.getString("TYPE_NAME") + " " + r.getInt("DATA_TYPE"));
      }
    }
    same(List.of("l_orderkey BIGINT -5", "l_partkey BIGINT -5", "l_suppkey BIGINT -5"), columns, "columns");
    rows(m.getPrimaryKeys("samples", "tpch", "nation"));
    rows(m.getExportedKeys("samples", "tpch", "nation"));
    rows(m.getImportedKeys("samples", "tpch", "nation"));
    rows(m.getCrossReference("samples", "tpch", "nation", "samples", "tpch", "region"));
    // These the driver answers by itself, or not at all.
    rows(m.getProcedures(null, null, "%"));
    rows(m.getFunctions(null, null, "%"));
    rows(m.getIndexInfo("samples", "tpch", "nation", false, true));
    rows(m.getUDTs(null, null, "%", null));
    same(true, c.getAutoCommit(), "auto-commit");
    c.setAutoCommit(true);
    c.getTransactionIsolation();
    c.getCatalog();
    c.getSchema();
    c.isReadOnly();
    same(true, c.isValid(5), "valid");
    System.out.println("metadata ok");
  }

  static void errorsAndCancelling(Connection c, boolean executors) throws Exception {
    for (String[] test : new String[][] {
      {"SELECT nope FROM range(1)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703"},
      {"SELECT 1 +", "PARSE_SYNTAX_ERROR", "42601"},
      {"SELECT 1 / id FROM range(1)", "DIVIDE_BY_ZERO", "22012"},
    }) {
      try {
        query(c, test[0]);
        throw new AssertionError("no error: " + test[0]);
      } catch (SQLException e) {
        same(true, e.getMessage().contains(test[1]) && e.getMessage().contains("SQLSTATE: " + test[2]), e.getMessage());
      }
    }
    try (Statement s = c.createStatement()) {
      Thread canceller = new Thread(() -> {
        try {
          Thread.sleep(700);
          s.cancel();
        } catch (Exception e) {
          throw new RuntimeException(e);
        }
      });
      long rows = 0;
      // The rows of a task on an executor come when it has ended; so there are many that end.
      String endless = executors ? "SELECT id FROM range(0, 1000000000, 1, 10000)" : "SELECT a.id FROM range(1000000) a, range(1000000) b";
      try (ResultSet r = s.executeQuery(endless)) {
        canceller.start();
        while (r.next()) {
          rows++;
        }
        throw new AssertionError("it ended");
      } catch (SQLException | RuntimeException e) {
        same(true, rows > 0, "rows before it was cancelled, and then: " + e);
      }
      canceller.join();
    }
    same(List.of("1"), query(c, "SELECT 1"), "the connection lives on");
    // Closed in the middle.
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT id FROM range(100000000)")) {
      same(true, r.next(), "a row");
    }
    long n = 0;
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT id FROM range(1000000)")) {
      while (r.next()) {
        n += r.getLong(1);
      }
    }
    same(499999500000L, n, "all rows");
    System.out.println("errors, cancelling ok");
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    boolean executors = arguments[arguments.length - 1].equals("--executors");
    if (arguments.length > 2) {
      properties.put("user", arguments[1]);
      properties.put("password", arguments[2]);
    }
    try (Connection c = DriverManager.getConnection(arguments[0], properties)) {
      types(c);
      Nested.all(c);
      Parameters.all(c);
      updates(c);
      metadata(c);
      errorsAndCancelling(c, executors);
      try (Statement s = c.createStatement()) {
        s.execute("CREATE TEMPORARY VIEW mine AS SELECT 42 AS x");
      }
      same(List.of("42"), query(c, "SELECT x FROM mine"), "one session");
    }
    Connection refusing = DriverManager.getConnection(arguments[0], properties);
    Parameters.refused(refusing);
    try {
      refusing.close();
    } catch (SQLException e) {
      // The driver does not give back what it had made for values that it then refuses.
      same(true, e.getMessage().contains("Memory was leaked"), e.getMessage());
    }
    Connection samples = DriverManager.getConnection(arguments[0] + "&catalog=samples", properties);
    same(List.of("samples"), query(samples, "SELECT current_catalog()"), "catalog");
    try {
      samples.close();
    } catch (SQLException e) {
      // The driver (18.3) closes its channel before it tells the server that the session is over.
      same(true, e.getMessage().contains("Channel shutdown invoked"), e.getMessage());
    }
    System.out.println("all ok");
    System.exit(0);
  }
}

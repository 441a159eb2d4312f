import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.util.Map;

/** Values of parameters, there and back: each type that the driver (18.3) can send, null of each, arrays; and what it refuses itself. */
class Parameters {
  private static final Timestamp MOMENT = Timestamp.valueOf("2024-01-02 03:04:05.123");

  private static final Object[][] SCALARS = {
    {"BOOLEAN", Types.BOOLEAN, true},
    {"TINYINT", Types.TINYINT, (byte) -1},
    {"SMALLINT", Types.SMALLINT, (short) 2},
    {"INT", Types.INTEGER, 3},
    {"BIGINT", Types.BIGINT, 4L},
    {"FLOAT", Types.REAL, 1.5f},
    {"DOUBLE", Types.DOUBLE, 2.5},
    {"DECIMAL(10,2)", Types.DECIMAL, new BigDecimal("1.25")},
    {"DECIMAL(38,2)", Types.DECIMAL, new BigDecimal("-12345678901234567890.12")},
    {"STRING", Types.VARCHAR, "é'\uD83D\uDE00"},
    {"BINARY", Types.VARBINARY, new byte[] {0, -1}},
    {"DATE", Types.DATE, Date.valueOf("1582-10-15")},
    {"TIMESTAMP", Types.TIMESTAMP, MOMENT},
    {"TIMESTAMP_NTZ", Types.TIMESTAMP, MOMENT},
  };

  /** Their type, that of their elements towards the driver, their elements, and what comes back. */
  private static final Object[][] ARRAYS = {
    {"ARRAY<BOOLEAN>", "BOOLEAN", new Boolean[] {true, null}},
    {"ARRAY<TINYINT>", "TINYINT", new Byte[] {1, null}},
    {"ARRAY<SMALLINT>", "SMALLINT", new Short[] {1, null}},
    {"ARRAY<INT>", "INTEGER", new Integer[] {1, null, 3}},
    {"ARRAY<INT>", "INTEGER", new Integer[] {}},
    {"ARRAY<BIGINT>", "BIGINT", new Long[] {1L, null}},
    {"ARRAY<FLOAT>", "REAL", new Float[] {1.5f, null}},
    {"ARRAY<DOUBLE>", "DOUBLE", new Double[] {1.5, null}},
    {"ARRAY<DECIMAL(10,2)>", "DECIMAL", new BigDecimal[] {new BigDecimal("1.25"), null}},
    {"ARRAY<STRING>", "VARCHAR", new String[] {"a", null}},
    {"ARRAY<BINARY>", "VARBINARY", new byte[][] {{0, 1}, null}},
    {"ARRAY<DATE>", "DATE", new Date[] {Date.valueOf("2024-01-02"), null}},
    {"ARRAY<TIMESTAMP>", "TIMESTAMP", new Timestamp[] {MOMENT, null}},
    {"ARRAY<TIMESTAMP_NTZ>", "TIMESTAMP", new Timestamp[] {MOMENT, null}},
  };

  /** Sets the parameter. */
  private interface Setting {
    void on(PreparedStatement p) throws SQLException;
  }

  /** What a parameter of this type is, as text: so it is Spark's text of what came to the server. */
  private static String arrived(Connection c, String type, Setting setting) throws SQLException {
    try (PreparedStatement p = c.prepareStatement("SELECT CAST(CAST(? AS " + type + ") AS STRING) AS x")) {
      setting.on(p);
      try (ResultSet r = p.executeQuery()) {
        r.next();
        return r.getString(1);
      }
    }
  }

  static void all(Connection c) throws SQLException {
    for (Object[] scalar : SCALARS) {
      String type = (String) scalar[0];
      try (PreparedStatement p = c.prepareStatement("SELECT CAST(? AS " + type + ") AS x, CAST(? AS " + type + ") AS y, "
          + "CAST(? AS " + type + ") IS NULL AS z")) {
        p.setObject(1, scalar[2]);
        p.setNull(2, (Integer) scalar[1]);
        p.setObject(3, null);
        try (ResultSet r = p.executeQuery()) {
          r.next();
          // The driver has no getObject(int) for moments, and doubles for floats.
          Object found = type.equals("TIMESTAMP") ? r.getTimestamp(1) : type.equals("FLOAT") ? (Object) r.getFloat(1) : r.getObject(1);
          VonkJdbc.same(scalar[2], found, type);
          VonkJdbc.same(null, r.getString(2), type + ": null");
          VonkJdbc.same(true, r.getBoolean(3), type + ": null without a type");
        }
      }
    }
    String[] arrays = {"[true, null]", "[1, null]", "[1, null]", "[1, null, 3]", "[]", "[1, null]", "[1.5, null]", "[1.5, null]", "[1.25, null]",
      "[a, null]", "[\0\1, null]", "[2024-01-02, null]", "[2024-01-02 03:04:05.123, null]", "[2024-01-02 03:04:05.123, null]"};
    for (int i = 0; i < ARRAYS.length; i++) {
      String type = (String) ARRAYS[i][0];
      java.sql.Array array = c.createArrayOf((String) ARRAYS[i][1], (Object[]) ARRAYS[i][2]);
      VonkJdbc.same(arrays[i], arrived(c, type, p -> p.setArray(1, array)), type);
      VonkJdbc.same(null, arrived(c, type, p -> p.setNull(1, Types.ARRAY)), type + ": null");
    }
    // Numbers go where they are wanted in another width.
    for (String type : new String[] {"TINYINT", "SMALLINT", "INT", "BIGINT"}) {
      VonkJdbc.same("7", arrived(c, type, p -> p.setInt(1, 7)), type + " of an int");
      VonkJdbc.same("7", arrived(c, type, p -> p.setLong(1, 7)), type + " of a long");
    }
    VonkJdbc.same("7.0", arrived(c, "DOUBLE", p -> p.setInt(1, 7)), "DOUBLE of an int");
    // Null of what it has no values for.
    for (String type : new String[] {"MAP<STRING,INT>", "STRUCT<a: INT>", "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND"}) {
      VonkJdbc.same(null, arrived(c, type, p -> p.setNull(1, Types.NULL)), type + ": null");
    }
    System.out.println("parameters ok");
  }

  /** What never reaches the server. Should a driver learn it, this says so, and the documentation is to be changed. */
  static void refused(Connection c) throws SQLException {
    refused(c, "DATE", p -> p.setObject(1, LocalDate.parse("2024-01-02")));
    refused(c, "TIMESTAMP_NTZ", p -> p.setObject(1, LocalDateTime.parse("2024-01-02T03:04:05")));
    refused(c, "TIMESTAMP", p -> p.setObject(1, OffsetDateTime.parse("2024-01-02T03:04:05Z")));
    refused(c, "TIMESTAMP", p -> p.setString(1, "2024-01-02 03:04:05"));
    refused(c, "DATE", p -> p.setString(1, "2024-01-02"));
    refused(c, "INT", p -> p.setString(1, "1"));
    refused(c, "STRING", p -> p.setInt(1, 1));
    refused(c, "DECIMAL(10,2)", p -> p.setInt(1, 1));
    refused(c, "DECIMAL(10,2)", p -> p.setDouble(1, 1.5));
    refused(c, "INTERVAL YEAR TO MONTH", p -> p.setObject(1, Period.ofMonths(14)));
    refused(c, "INTERVAL DAY TO SECOND", p -> p.setObject(1, Duration.ofSeconds(1)));
    refused(c, "MAP<STRING,INT>", p -> p.setObject(1, Map.of("a", 1)));
    refused(c, "STRUCT<a: INT>", p -> p.setObject(1, Map.of("a", 1)));
    refused(c, "ARRAY<ARRAY<INT>>",
        p -> p.setArray(1, c.createArrayOf("INTEGER", new Object[] {c.createArrayOf("INTEGER", new Integer[] {1})})));
  }

  private static void refused(Connection c, String type, Setting setting) throws SQLException {
    String found;
    try {
      found = arrived(c, type, setting);
    } catch (SQLException e) {
      VonkJdbc.same(true, e.getMessage().contains("is not yet supported"), type + ": " + e.getMessage());
      return;
    }
    throw new AssertionError(type + " is not refused any more: " + found);
  }
}

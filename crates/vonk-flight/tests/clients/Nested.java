import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.Date;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Arrays, maps and structs as the driver (18.3) gives them: a column of arrays as java.sql.Array, maps and structs as java.util.Map, what is
 * within them as List and Map.
 *
 * What the driver does by itself: it leaves out the fields of a struct that are null; within others, a map is a list of entries, a date the
 * number of its day, and a moment the number of its microseconds.
 */
class Nested {
  /** A scalar in SQL, its JDBC type as an element, and what it is within others. */
  private static final Object[][] SCALARS = {
    {"true", Types.BOOLEAN, true},
    {"1Y", Types.TINYINT, (byte) 1},
    {"2S", Types.SMALLINT, (short) 2},
    {"3", Types.INTEGER, 3},
    {"4L", Types.BIGINT, 4L},
    {"1.5F", Types.FLOAT, 1.5f},
    {"2.5D", Types.DOUBLE, 2.5},
    {"1.25", Types.DECIMAL, new BigDecimal("1.25")},
    {"CAST('12345678901234567890.12' AS DECIMAL(38,2))", Types.DECIMAL, new BigDecimal("12345678901234567890.12")},
    {"'é'", Types.VARCHAR, "é"},
    {"X'00FF'", Types.VARBINARY, bytes(0, -1)},
    {"DATE'2024-01-02'", Types.DATE, 19724},
    {"TIMESTAMP'2024-01-02 03:04:05.123456Z'", Types.TIMESTAMP_WITH_TIMEZONE, 1704164645123456L},
    {"TIMESTAMP_NTZ'2024-01-02 03:04:05.123456'", Types.TIMESTAMP, LocalDateTime.parse("2024-01-02T03:04:05.123456")},
    {"INTERVAL '1-2' YEAR TO MONTH", Types.JAVA_OBJECT, "P14M PT0S"},
    {"INTERVAL '1 02:03:04.5' DAY TO SECOND", Types.JAVA_OBJECT, Duration.ofDays(1).plusSeconds(7384).plusMillis(500)},
    {"make_interval(1, 2, 3, 4, 5, 6, 7.5)", Types.JAVA_OBJECT, "P14M25D PT5H6M7.5S"},
  };

  /** Bytes as the list that {@link #plain} makes of them. */
  private static List<Object> bytes(int... bytes) {
    List<Object> list = new ArrayList<>();
    for (int b : bytes) {
      list.add((byte) b);
    }
    return list;
  }

  private static List<Object> list(Object... parts) {
    return Arrays.asList(parts);
  }

  /** Keys and values in turn. */
  private static Map<Object, Object> map(Object... parts) {
    Map<Object, Object> map = new HashMap<>();
    for (int i = 0; i < parts.length; i += 2) {
      map.put(parts[i], parts[i + 1]);
    }
    return map;
  }

  /** A value in classes of Java's own: the driver's texts, lists, maps and intervals are classes that it keeps for itself. */
  static Object plain(Object o) throws SQLException {
    if (o instanceof Array) {
      return plain(((Array) o).getArray());
    } else if (o instanceof byte[]) {
      List<Object> list = new ArrayList<>();
      for (byte b : (byte[]) o) {
        list.add(b);
      }
      return list;
    } else if (o instanceof Object[] || o instanceof List) {
      List<Object> list = new ArrayList<>();
      for (Object part : o instanceof List ? (List<?>) o : Arrays.asList((Object[]) o)) {
        list.add(plain(part));
      }
      return list;
    } else if (o instanceof Map) {
      Map<Object, Object> map = new HashMap<>();
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) o).entrySet()) {
        map.put(plain(entry.getKey()), plain(entry.getValue()));
      }
      return map;
    }
    return o == null || o.getClass().getName().startsWith("java.") ? o : o.toString();
  }

  /** The one value of a query; where it is not null, its array's or its own. */
  private static void one(Connection c, String text, int type, Object expected) throws SQLException {
    // Nulls around it, so that places are found by offsets.
    String sql = "SELECT if(id = 1, " + text + ", null) AS x FROM range(3) ORDER BY id";
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
      VonkJdbc.same(type, r.getMetaData().getColumnType(1), text + ": type");
      for (int i = 0; i < 3; i++) {
        r.next();
        VonkJdbc.same(i == 1 ? expected : null, plain(r.getObject(1)), text);
        VonkJdbc.same(i != 1 || expected == null, r.wasNull(), text + ": null");
      }
    }
  }

  static void all(Connection c) throws SQLException {
    for (Object[] scalar : SCALARS) {
      String text = (String) scalar[0];
      Object value = scalar[2];
      one(c, "array(" + text + ", null)", Types.ARRAY, list(value, null));
      one(c, "array(array(" + text + ", null), null, array())", Types.ARRAY, list(list(value, null), null, list()));
      one(c, "struct(" + text + " AS v)", Types.JAVA_OBJECT, map("v", value));
      one(c, "map('k', " + text + ", 'n', null)", Types.JAVA_OBJECT, map("k", value, "n", null));
      one(c, "array(struct(" + text + " AS v), null)", Types.ARRAY, list(map("v", value), null));
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT array(" + text + ", null)")) {
        r.next();
        VonkJdbc.same(scalar[1], r.getArray(1).getBaseType(), text + ": base type");
        VonkJdbc.same(list((Object) null), plain(r.getArray(1).getArray(1, 1)), text + ": a slice");
      }
    }
    // Deeper, and null at every level.
    one(c, "map(1, array('a', null), 2, null)", Types.JAVA_OBJECT, map(1, list("a", null), 2, null));
    one(c, "map('k', map('l', struct(1 AS a)))", Types.JAVA_OBJECT, map("k", list(map("key", "l", "value", map("a", 1)))));
    one(c, "map(struct(1 AS a), 2)", Types.JAVA_OBJECT, map(map("a", 1), 2));
    one(c, "array(map('k', 1, 'l', null), null, map())", Types.ARRAY,
        list(list(map("key", "k", "value", 1), map("key", "l")), null, list()));
    one(c, "struct(struct(1 AS x) AS i, array(1, null) AS l, map('a', array(struct(1 AS z))) AS m)", Types.JAVA_OBJECT,
        map("i", map("x", 1), "l", list(1, null), "m", list(map("key", "a", "value", list(map("z", 1))))));
    one(c, "array(struct(1 AS a, 'x' AS b), null, struct(null AS a, 'y' AS b), struct(null AS a, null AS b))", Types.ARRAY,
        list(map("a", 1, "b", "x"), null, map("b", "y"), map()));
    one(c, "struct(CAST(null AS ARRAY<INT>) AS l, CAST(null AS STRUCT<a: INT>) AS s, CAST(null AS MAP<STRING, INT>) AS m)",
        Types.JAVA_OBJECT, map());
    for (String type : new String[] {"ARRAY<INT>", "MAP<STRING, INT>", "STRUCT<a: INT>", "ARRAY<STRUCT<a: MAP<INT, INT>>>"}) {
      one(c, "CAST(null AS " + type + ")", type.startsWith("ARRAY") ? Types.ARRAY : Types.JAVA_OBJECT, null);
    }
    // Many rows, so that arrays begin in the middle.
    try (Statement s = c.createStatement();
        ResultSet r = s.executeQuery("SELECT transform(sequence(1, id), x -> if(x % 3 = 0, null, struct(x AS v))) AS xs, id FROM range(1, 200) ORDER BY id")) {
      for (int id = 1; id < 200; id++) {
        r.next();
        List<Object> expected = new ArrayList<>();
        for (long x = 1; x <= id; x++) {
          expected.add(x % 3 == 0 ? null : map("v", x));
        }
        VonkJdbc.same(expected, plain(r.getObject(1)), "arrays of " + id);
      }
    }
    // As text, in which nothing is lost but the fields that are null.
    VonkJdbc.same(List.of("[[\"a\"],[null]],{\"k\":1.5},{\"a\":1,\"b\":[\"x\"]}"),
        VonkJdbc.query(c, "SELECT array(array('a'), array(null)), map('k', 1.5), struct(1 AS a, array('x') AS b)"), "nested, as text");
    System.out.println("nested ok");
  }
}

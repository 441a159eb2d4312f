//! What only larger inputs bring about: row groups that several tasks share, joins reduced across exchanges, shuffles shared by the
//! jobs of a query. Answers are arithmetic.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use tempfile::TempDir;
use vonk::Session;

/// Rows of the tables: one row group each.
const ROWS: u64 = 200_000;

struct Fixture {
    _dir: TempDir,
    session: Session,
}

impl Fixture {
    /// `facts(id, k, g)`: `k` is `id` divided by 4, null for every 10th row, `g` has a thousand values. `keys(k)`: every thousandth
    /// `k`, and a null.
    fn new(slots: u32) -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::builder()
            .config("spark.master", &format!("local[{slots}]"))
            .config("spark.local.dir", &dir.path().join("spill").to_string_lossy())
            .config("spark.sql.warehouse.dir", &dir.path().join("warehouse").to_string_lossy())
            .build()
            .unwrap();
        let fixture = Fixture { session, _dir: dir };
        fixture.rows(&format!(
            "CREATE TABLE facts AS SELECT /*+ COALESCE(1) */ id, if(id % 10 = 9, NULL, id DIV 4) AS k, id % 1000 AS g \
             FROM range(0, {ROWS}, 1, 1)"
        ));
        fixture.rows("CREATE TABLE keys AS SELECT nullif(id, 0) * 1000 AS k FROM range(0, 50, 1, 1)");
        fixture
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        let answer = self.session.run(sql).and_then(|mut a| a.rows_as_text());
        answer.unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// The driver hears of a query's end in its own time.
    fn gives_memory_back(&self) {
        for _ in 0..1000 {
            if self.session.used_memory() == 0 {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{} bytes are kept", self.session.used_memory());
    }

    fn plan(&self, sql: &str) -> String {
        self.rows(&format!("EXPLAIN FORMATTED {sql}")).join("\n")
    }
}

#[test]
fn a_row_group_shared_out_gives_every_row_once_and_in_order() {
    let fixture = Fixture::new(4);
    let total = ROWS * (ROWS - 1) / 2;
    for filter in ["id >= 0", "g < 1000 AND id IS NOT NULL"] {
        let got =
            fixture.rows(&format!("SELECT count(*), sum(id), count(DISTINCT id) FROM facts WHERE {filter}"));
        assert_eq!(got, [format!("{ROWS}\t{total}\t{ROWS}")]);
    }
    assert_eq!(fixture.rows("SELECT count(*) FROM facts"), [ROWS.to_string()]);
    assert_eq!(fixture.rows("SELECT id FROM facts WHERE g = 7 LIMIT 3"), ["7", "1007", "2007"]);
    let all = fixture.rows("SELECT id FROM facts");
    assert!(all.iter().enumerate().all(|(i, row)| *row == i.to_string()));
}

#[test]
fn reduced_joins_give_what_they_gave() {
    let fixture = Fixture::new(2);
    let statements = [
        // Of 200,000 rows, those with k = 1000, 2000, … 49000: four ids each, of which some have no k.
        "SELECT count(*), sum(f.n) FROM keys JOIN (SELECT k, count(*) AS n FROM facts GROUP BY k) f ON keys.k = f.k",
        "SELECT count(*), sum(f.n) FROM keys LEFT JOIN (SELECT k, count(*) AS n FROM facts GROUP BY k) f ON keys.k = f.k",
        "SELECT count(*), sum(k) FROM keys WHERE EXISTS (SELECT 1 FROM facts WHERE facts.k = keys.k)",
        "SELECT count(*), sum(k) FROM keys WHERE NOT EXISTS (SELECT 1 FROM facts WHERE facts.k = keys.k AND id % 4 = 3)",
        "SELECT count(*), sum(n) FROM (SELECT k, (SELECT count(*) FROM facts WHERE facts.k = keys.k) AS n FROM keys)",
        "SELECT count(*), sum(f.n) FROM keys JOIN (SELECT k, count(*) AS n FROM facts GROUP BY k) f ON keys.k <=> f.k",
    ];
    for sql in statements {
        let expected = {
            fixture.rows("SET spark.sql.optimizer.runtime.bloomFilter.enabled=false");
            let rows = fixture.rows(sql);
            fixture.rows("RESET spark.sql.optimizer.runtime.bloomFilter.enabled");
            rows
        };
        for least in ["0", "1000"] {
            fixture.rows(&format!("SET spark.vonk.semiJoinReduction.rows={least}"));
            assert_eq!(fixture.rows(sql), expected, "{sql} with {least}");
        }
    }
    // k = 1000 j is of ids 4000 j to 4000 j + 3, none of which ends in 9.
    assert_eq!(fixture.rows(statements[0]), ["49\t196"]);
    // NULL <=> NULL: the group of the 20,000 rows without k.
    assert_eq!(fixture.rows(statements[5]), [format!("50\t{}", 196 + ROWS / 10)]);
    let plan = fixture.plan(statements[0]);
    assert!(plan.contains("LeftSemi") && plan.contains("runtime filter"), "{plan}");
}

#[test]
fn nothing_is_filtered_below_what_counts_rows() {
    let fixture = Fixture::new(1);
    let sql = "SELECT count(*), sum(m) FROM (SELECT k, monotonically_increasing_id() AS m FROM facts) f \
               JOIN keys ON f.k = keys.k";
    // The rows with k = 1000 j are numbers 4000 j to 4000 j + 3: sum over j of 16000 j + 6.
    let expected = format!("196\t{}", 16_000 * (49 * 50 / 2) + 6 * 49);
    for least in ["0", "100000"] {
        fixture.rows(&format!("SET spark.vonk.semiJoinReduction.rows={least}"));
        assert_eq!(fixture.rows(sql), [expected.as_str()]);
    }
}

#[test]
fn jobs_of_a_query_share_shuffles_and_give_them_back() {
    let fixture = Fixture::new(2);
    let sums = "WITH sums AS (SELECT id % 1000 AS g, sum(id) AS s FROM range(0, 200000, 1, 4) GROUP BY 1)";
    let sql = &format!("{sums} SELECT g FROM sums WHERE s = (SELECT max(s) FROM sums) ORDER BY g");
    assert_eq!(fixture.rows(sql), ["999"]);
    // The subquery's job makes the rows; the query's own reads what that has shuffled: one range with counts in both plans.
    let analyzed = fixture.rows(&format!("EXPLAIN ANALYZE {sql}")).join("\n");
    let made = analyzed.lines().filter(|l| l.contains("Range") && l.contains("rows=")).count();
    assert_eq!(made, 1, "{analyzed}");
    fixture.gives_memory_back();
    // A query that is given up after its subquery keeps nothing either.
    let failing = format!("{sums} SELECT g FROM sums WHERE s = (SELECT s FROM sums)");
    let error = fixture.session.run(&failing).and_then(|mut a| a.rows_as_text()).unwrap_err();
    assert_eq!(error.condition(), "SCALAR_SUBQUERY_TOO_MANY_ROWS");
    fixture.gives_memory_back();
}

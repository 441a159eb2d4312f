//! Whether a fragment that is computed again gives the same rows.
//!
//! A lost map output is made anew by lineage. Where the second computation may distribute other rows than the first, whatever was
//! computed from the first must be made anew, too (Spark: `DeterministicLevel`, SPARK-23207). Inputs are read in the order of their map
//! partitions, so a fragment meets the same rows in the same order as before unless an operator below changed it.
//!
//! Must not know: who recovers.

use crate::volatile::{DependsOn, depends_on, node_depends_on};
use vonk_eval::BoundExpr;
use vonk_functions::Registry;
use vonk_physical::{
    AggregateMode, AggregateSpec, FrameBound, FrameUnits, HashAggregate, HashJoin, NestedLoopJoin,
    Partitioning, PhysicalPlan, PlanNode, SortMergeJoin, WindowFrame, WindowSpec,
};

/// What a second computation gives, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// The same rows in the same order.
    Ordered,
    /// The same rows.
    Unordered,
    /// Perhaps others.
    Indeterminate,
}

/// Whether each partition that a fragment gives, or each block that it writes, has the same rows whenever it is computed.
pub(crate) fn is_determinate(registry: &Registry, fragment: &PlanNode) -> bool {
    level(registry, fragment) != Level::Indeterminate
}

fn level(registry: &Registry, node: &PlanNode) -> Level {
    let inputs = node.plan.inputs().into_iter().map(|i| level(registry, i)).max().unwrap_or(Level::Ordered);
    let evaluated = evaluated(registry, &node.plan);
    let by_order =
        evaluated == DependsOn::Place || by_position(&node.plan) || order_sensitive(registry, &node.plan);
    if evaluated == DependsOn::Chance || by_order && inputs > Level::Ordered {
        return Level::Indeterminate;
    }
    let own = match &node.plan {
        // The order of groups and of matches depends on what was spilled, and so on who else had memory at the time; sorting is
        // not stable beyond that, either. What a map task made is read in the order in which it was written.
        PhysicalPlan::HashAggregate(_)
        | PhysicalPlan::HashJoin(_)
        | PhysicalPlan::SortMergeJoin(_)
        | PhysicalPlan::NestedLoopJoin(_)
        | PhysicalPlan::Sort(_)
        | PhysicalPlan::Window(_)
        | PhysicalPlan::ShuffleRead(_) => Level::Unordered,
        // The rows are the names of the files, which are the attempt's own.
        PhysicalPlan::Write(_) => Level::Indeterminate,
        PhysicalPlan::Scan(_)
        | PhysicalPlan::Values(_)
        | PhysicalPlan::Driver(_)
        | PhysicalPlan::Range { .. }
        | PhysicalPlan::Project { .. }
        | PhysicalPlan::Filter { .. }
        | PhysicalPlan::Limit { .. }
        | PhysicalPlan::Union { .. }
        | PhysicalPlan::Expand(_)
        | PhysicalPlan::Generate(_)
        | PhysicalPlan::Coalesce { .. }
        | PhysicalPlan::Sample { .. }
        | PhysicalPlan::Exchange(_)
        | PhysicalPlan::ShuffleWrite(_) => Level::Ordered,
    };
    inputs.max(own)
}

/// What the values that a node computes depend on.
fn evaluated(registry: &Registry, plan: &PhysicalPlan) -> DependsOn {
    let one = |e: &BoundExpr| depends_on(registry, e);
    match plan {
        // Over states, the arguments are not evaluated.
        PhysicalPlan::HashAggregate(HashAggregate {
            mode: AggregateMode::Merge | AggregateMode::Final,
            groups,
            ..
        }) => groups.iter().map(one).max().unwrap_or(DependsOn::Nothing),
        // A condition is evaluated over candidate pairs, whose order and number in a batch are those of the hash table.
        PhysicalPlan::HashJoin(HashJoin { join, .. })
        | PhysicalPlan::SortMergeJoin(SortMergeJoin { join, .. })
        | PhysicalPlan::NestedLoopJoin(NestedLoopJoin { join, .. })
            if join.condition.as_ref().is_some_and(|c| one(c) != DependsOn::Nothing) =>
        {
            DependsOn::Chance
        }
        plan => node_depends_on(registry, plan),
    }
}

/// Whether a node looks at where rows stand, not just at what they are.
fn by_position(plan: &PhysicalPlan) -> bool {
    match plan {
        PhysicalPlan::Limit { .. } | PhysicalPlan::Sample { .. } => true,
        PhysicalPlan::Sort(s) => s.fetch.is_some(),
        PhysicalPlan::ShuffleWrite(w) => matches!(w.partitioning, Partitioning::RoundRobin { .. }),
        _ => false,
    }
}

/// Whether a node calls a function whose result depends on the order of rows.
///
/// A sum of floats does as well, by its rounding, but is not counted: Spark does not, and else nearly every query over doubles
/// would start over with the loss of a single block.
fn order_sensitive(registry: &Registry, plan: &PhysicalPlan) -> bool {
    let aggregate = |a: &AggregateSpec| registry.aggregate(&a.function).is_ok_and(|f| f.order_sensitive);
    match plan {
        PhysicalPlan::HashAggregate(a) => a.aggregates.iter().any(aggregate),
        PhysicalPlan::Window(w) => w.functions.iter().any(|f| match f {
            WindowSpec::Aggregate { call, frame } => aggregate(call) || tells_peers_apart(frame),
            WindowSpec::Function { function, .. } => {
                registry.window(function).is_ok_and(|f| f.order_sensitive)
            }
        }),
        _ => false,
    }
}

/// Whether rows that are equal in all order keys may have other frames.
fn tells_peers_apart(frame: &WindowFrame) -> bool {
    let whole =
        (&frame.start, &frame.end) == (&FrameBound::UnboundedPreceding, &FrameBound::UnboundedFollowing);
    frame.units == FrameUnits::Rows && !whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use vonk_error::Span;
    use vonk_physical::{
        BuildSide, Generate, JoinKind, JoinSpec, ShuffleRead, ShuffleWrite, Sort, SortKey, Window,
    };
    use vonk_types::{DataType, Literal, StructField, StructType};

    fn node(plan: PhysicalPlan) -> PlanNode {
        PlanNode::new(StructType::new(vec![StructField::new("a", DataType::Long, true)]), plan)
    }

    fn range() -> PlanNode {
        node(PhysicalPlan::Range { start: 0, end: 10, step: 1, partitions: 2 })
    }

    fn read() -> PlanNode {
        node(PhysicalPlan::ShuffleRead(ShuffleRead { shuffle: 0, maps: 2, partitions: 2, broadcast: false }))
    }

    fn column() -> BoundExpr {
        BoundExpr::column(0, DataType::Long)
    }

    fn call(function: &str, args: Vec<BoundExpr>) -> BoundExpr {
        BoundExpr::Call { function: function.into(), args, data_type: DataType::Double, span: Span::NONE }
    }

    /// `rand(7)`, which depends on the rows before.
    fn seeded() -> BoundExpr {
        call("rand", vec![BoundExpr::Literal(Literal::long(7))])
    }

    fn key(expr: BoundExpr) -> SortKey {
        SortKey { expr, descending: false, nulls_first: true }
    }

    fn same(plan: PhysicalPlan) -> bool {
        is_determinate(Registry::builtin(), &node(plan))
    }

    fn written(input: PlanNode, partitioning: Partitioning) -> bool {
        same(PhysicalPlan::ShuffleWrite(ShuffleWrite { shuffle: 1, partitioning, input: Box::new(input) }))
    }

    fn by_hash(input: PlanNode) -> bool {
        written(input, Partitioning::Hash { keys: vec![column()], partitions: 3 })
    }

    fn aggregate(function: &str, args: Vec<BoundExpr>) -> AggregateSpec {
        AggregateSpec {
            function: function.into(),
            args,
            filter: None,
            distinct: false,
            order_by: vec![],
            data_type: DataType::Long,
            state_types: vec![],
            span: Span::NONE,
        }
    }

    fn aggregated(mode: AggregateMode, spec: AggregateSpec, input: PlanNode) -> PlanNode {
        let groups = vec![column()];
        let plan = HashAggregate { mode, groups, aggregates: vec![spec], input: Box::new(input) };
        node(PhysicalPlan::HashAggregate(plan))
    }

    fn sorted(fetch: Option<u64>, expr: BoundExpr, input: PlanNode) -> PlanNode {
        node(PhysicalPlan::Sort(Sort { keys: vec![key(expr)], fetch, input: Box::new(input) }))
    }

    fn windowed(function: WindowSpec) -> bool {
        by_hash(node(PhysicalPlan::Window(Window {
            functions: vec![function],
            partition_by: vec![column()],
            order_by: vec![key(column())],
            input: Box::new(sorted(None, column(), read())),
        })))
    }

    #[test]
    fn positions_matter_where_the_order_may_change() {
        let round = || Partitioning::RoundRobin { partitions: 3 };
        assert!(written(range(), round()));
        assert!(!written(read(), round()));
        assert!(by_hash(read()));
        let limit = |input| node(PhysicalPlan::Limit { skip: 0, fetch: Some(3), input: Box::new(input) });
        assert!(written(limit(range()), round()));
        assert!(!by_hash(limit(read())));
        assert!(by_hash(sorted(Some(3), column(), range())) && !by_hash(sorted(Some(3), column(), read())));
    }

    #[test]
    fn volatile_values_are_the_same_over_the_same_rows_in_the_same_order_only() {
        let hash = || Partitioning::Hash { keys: vec![seeded()], partitions: 3 };
        let ranges = || Partitioning::Range { keys: vec![key(seeded())], partitions: 3, bounds: None };
        let project = |input| PhysicalPlan::Project { exprs: vec![seeded()], input: Box::new(input) };
        let filter =
            |input| PhysicalPlan::Filter { predicate: seeded(), projection: vec![], input: Box::new(input) };
        let expand = |input| {
            let projections = vec![vec![column()], vec![seeded()]];
            PhysicalPlan::Expand(vonk_physical::Expand { projections, input: Box::new(input) })
        };
        let shuffled = || call("shuffle", vec![column(), BoundExpr::Literal(Literal::long(7))]);
        let generate = |input| {
            PhysicalPlan::Generate(Generate {
                function: "explode".into(),
                args: vec![shuffled()],
                outer: false,
                projection: vec![],
                generated: vec![DataType::Long],
                input: Box::new(input),
            })
        };
        let partial =
            |input| aggregated(AggregateMode::Partial, aggregate("sum", vec![seeded()]), input).plan;
        for (input, expected) in [(range as fn() -> PlanNode, true), (read, false)] {
            assert_eq!(written(input(), hash()), expected);
            assert_eq!(written(input(), ranges()), expected);
            assert_eq!(same(project(input())), expected);
            assert_eq!(same(filter(input())), expected);
            assert_eq!(same(expand(input())), expected);
            assert_eq!(same(generate(input())), expected);
            assert_eq!(same(partial(input())), expected);
            assert_eq!(same(sorted(None, seeded(), input()).plan), expected);
        }
    }

    #[test]
    fn what_is_drawn_without_a_seed_is_never_the_same() {
        for unseeded in [
            call("rand", vec![]),
            call("uuid", vec![BoundExpr::Literal(Literal::null(DataType::Long))]),
            call("shuffle", vec![column()]),
        ] {
            let keys = vec![BoundExpr::Cast {
                expr: Box::new(unseeded),
                to: DataType::String,
                mode: vonk_types::CastMode::Ansi,
                span: Span::NONE,
            }];
            assert!(!written(range(), Partitioning::Hash { keys, partitions: 3 }));
        }
    }

    #[test]
    fn arguments_are_not_evaluated_over_states() {
        let sum = aggregate("sum", vec![seeded()]);
        assert!(by_hash(aggregated(AggregateMode::Final, sum.clone(), read())));
        assert!(!by_hash(aggregated(AggregateMode::Complete, sum, read())));
    }

    #[test]
    fn a_volatile_join_condition_sees_pairs_in_any_order() {
        let join = |condition| {
            let join = JoinSpec { kind: JoinKind::Inner, condition, null_aware: false, projection: vec![0] };
            same(PhysicalPlan::NestedLoopJoin(NestedLoopJoin {
                left: Box::new(range()),
                right: Box::new(range()),
                build: BuildSide::Right,
                broadcast: false,
                join,
            }))
        };
        assert!(join(Some(column())) && !join(Some(seeded())));
    }

    #[test]
    fn some_aggregates_depend_on_the_order() {
        let same = |function: &str, input| {
            let spec = aggregate(function, vec![column()]);
            by_hash(aggregated(AggregateMode::Complete, spec, input))
        };
        let sensitive =
            ["first", "last", "any_value", "collect_list", "collect_set", "listagg", "max_by", "min_by"];
        for function in sensitive {
            assert!(same(function, range()) && !same(function, read()), "{function}");
        }
        for function in ["sum", "avg", "count", "min", "max", "mode", "percentile", "approx_count_distinct"] {
            assert!(same(function, read()), "{function}");
        }
    }

    #[test]
    fn windows_that_tell_peers_apart_depend_on_the_order() {
        let function = |name: &str| {
            windowed(WindowSpec::Function {
                function: Arc::from(name),
                args: vec![],
                frame: None,
                ignore_nulls: false,
                data_type: DataType::Long,
                span: Span::NONE,
            })
        };
        for name in ["row_number", "ntile", "lag", "lead", "nth_value"] {
            assert!(!function(name), "{name}");
        }
        for name in ["rank", "dense_rank", "percent_rank", "cume_dist"] {
            assert!(function(name), "{name}");
        }
        let over = |name: &str, units, end| {
            let frame = WindowFrame { units, start: FrameBound::UnboundedPreceding, end };
            windowed(WindowSpec::Aggregate { call: aggregate(name, vec![column()]), frame })
        };
        assert!(over("sum", FrameUnits::Range, FrameBound::CurrentRow));
        assert!(over("sum", FrameUnits::Rows, FrameBound::UnboundedFollowing));
        assert!(!over("sum", FrameUnits::Rows, FrameBound::CurrentRow));
        assert!(!over("first", FrameUnits::Range, FrameBound::CurrentRow));
    }
}

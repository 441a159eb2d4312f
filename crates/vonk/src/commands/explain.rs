//! EXPLAIN.

use super::execute::Immediate;
use crate::answer::{Answer, located};
use crate::pipeline::{Pipeline, Planned};
use std::fmt::Write;
use vonk_error::{Error, Result};
use vonk_functions::Registry;
use vonk_optimizer::statistics::estimate;
use vonk_physical::{ExplainMetrics, PlanNode};
use vonk_plan::LogicalPlan;
use vonk_plan::unresolved::{ExplainMode, Statement};
use vonk_planner::PhysicalQuery;
use vonk_scheduler::{RddId, StageKind, cut_stages};

/// `EXPLAIN [mode] statement`.
pub(crate) fn explain(cx: &Pipeline<'_>, mode: ExplainMode, statement: &Statement) -> Result<Answer> {
    let text = match statement {
        Statement::Query(plan) => {
            let (analyzed, texts) = cx.analyze(plan)?;
            let planned = cx.plan(analyzed, texts)?;
            match mode {
                ExplainMode::Simple | ExplainMode::Codegen => physical(&planned.physical, None),
                ExplainMode::Extended => extended(&format!("{plan:#?}"), &planned),
                ExplainMode::Cost => cost(&planned),
                ExplainMode::Formatted => formatted(&planned.physical, &cx.env.registry)?,
                ExplainMode::Analyze => analyze(cx, planned)?,
            }
        }
        Statement::ExecuteImmediate { text, into, using } => {
            let inner = Immediate::of(cx, text, into, using)?;
            return inner.within(cx, |cx, statement| explain(cx, mode, statement));
        }
        Statement::Explain { .. } => return Err(Error::unsupported("EXPLAIN of EXPLAIN")),
        other => format!("== Physical Plan ==\nExecute {}\n", command_name(other)),
    };
    Answer::text_rows(&["plan"], &[vec![Some(text)]], cx.env.ctx.clone())
}

fn command_name(statement: &Statement) -> String {
    let text = format!("{statement:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_string()
}

fn physical(query: &PhysicalQuery, metrics: Option<&ExplainMetrics>) -> String {
    let mut out = String::from("== Physical Plan ==\n");
    out += &vonk_physical::explain(&query.root, metrics);
    for s in &query.subplans {
        let _ = writeln!(out, "\nSubquery {}:", s.id);
        out += &vonk_physical::explain(&s.plan, metrics);
    }
    loops(query, metrics, &mut out);
    out
}

/// The plans of recursive common table expressions.
fn loops(query: &PhysicalQuery, metrics: Option<&ExplainMetrics>, out: &mut String) {
    for l in &query.loops {
        for (part, query) in [("anchor", &l.anchor), ("step", &l.step)] {
            let _ = writeln!(out, "\nLoop {}, {part}:", l.id);
            *out += &vonk_physical::explain(&query.root, metrics);
            for s in &query.subplans {
                let _ = writeln!(out, "\nSubquery {} of loop {}:", s.id, l.id);
                *out += &vonk_physical::explain(&s.plan, metrics);
            }
            loops(query, metrics, out);
        }
    }
}

fn extended(parsed: &str, planned: &Planned) -> String {
    format!(
        "== Parsed Logical Plan ==\n{parsed}\n\n== Analyzed Logical Plan ==\n{}\n{}\n== Optimized Logical Plan ==\n{}\n{}",
        planned.analyzed.schema().catalog_string(),
        planned.analyzed,
        planned.optimized,
        physical(&planned.physical, None)
    )
}

fn cost(planned: &Planned) -> String {
    fn tree(plan: &LogicalPlan, depth: usize, out: &mut String) {
        let e = estimate(plan);
        let bytes = e.bytes(&plan.output());
        let _ = writeln!(
            out,
            "{:indent$}{}, Statistics(sizeInBytes={}, rowCount={:.0})",
            "",
            plan.headline(),
            size(bytes),
            e.rows,
            indent = depth * 2
        );
        plan.inputs().into_iter().for_each(|i| tree(i, depth + 1, out));
    }
    let mut out = String::from("== Optimized Logical Plan ==\n");
    tree(&planned.optimized, 0, &mut out);
    out + "\n" + &physical(&planned.physical, None)
}

fn size(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

/// The stages, each with its fragment.
fn formatted(query: &PhysicalQuery, registry: &Registry) -> Result<String> {
    let mut out = physical(query, None);
    let mut section = |title: &str, root: &PlanNode| -> Result<()> {
        let mut next = 0;
        let lowered = vonk_planner::lower(&with_bounds(root), registry, &mut |_| {
            next += 1;
            next - 1
        })?;
        let Some(stages) = cut_stages(&lowered.graph, lowered.last, &mut 0) else {
            return vonk_error::internal_err!("the plan's RDD graph is not one");
        };
        for stage in stages {
            let kind = match &stage.kind {
                StageKind::ShuffleMap(s) => format!("shuffle {} into {} partitions", s.shuffle, s.num_reduce),
                StageKind::Result => "result".to_string(),
            };
            let parents: Vec<String> = stage.parents.iter().map(|p| p.to_string()).collect();
            let after =
                if parents.is_empty() { String::new() } else { format!(", after {}", parents.join(", ")) };
            let RddId(rdd) = stage.rdd;
            let _ = writeln!(
                out,
                "\n{title}Stage {}: {} tasks, {kind}{after}, RDD {rdd}",
                stage.id, stage.num_partitions
            );
            if let Some(rdd) = lowered.graph.get(stage.rdd) {
                out += &vonk_physical::explain(lowered.fragment(rdd.fragment)?, None);
            }
        }
        Ok(())
    };
    for s in &query.subplans {
        section(&format!("Subquery {} ", s.id), &s.plan)?;
    }
    section("", &query.root)?;
    Ok(out)
}

/// Range partitionings get their bounds when the query runs; to be shown, any will do.
fn with_bounds(root: &PlanNode) -> PlanNode {
    use vonk_physical::{Partitioning, PhysicalPlan};
    let mut root = root.clone();
    root.visit_mut(&mut |n| {
        if let PhysicalPlan::Exchange(e) = &mut n.plan {
            if let Partitioning::Range { bounds: bounds @ None, .. } = &mut e.partitioning {
                *bounds = Some(vec![]);
            }
        }
    });
    root
}

/// Runs the query and shows what its operators did.
fn analyze(cx: &Pipeline<'_>, planned: Planned) -> Result<String> {
    let Planned { physical: query, texts, planning, .. } = planned;
    let begun = std::time::Instant::now();
    let located = |e: Error| located(e, &cx.text, &texts);
    let mut running = cx.run(query.clone()).map_err(located)?;
    let mut rows = 0;
    while let Some(batch) = running.next_batch().map_err(located)? {
        rows += batch.num_rows();
    }
    let report = running.report();
    let mut out = physical(&query, Some(&report.metrics));
    let _ = writeln!(
        out,
        "\n{rows} rows, {} stages, {} tasks, planning {:.1} ms, execution {:.1} ms",
        report.stages,
        report.tasks,
        planning.as_secs_f64() * 1e3,
        begun.elapsed().as_secs_f64() * 1e3
    );
    Ok(out)
}

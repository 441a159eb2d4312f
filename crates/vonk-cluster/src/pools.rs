//! The allocation file: the pools in which jobs share executors, in Spark's XML (`spark.scheduler.allocation.file`).
//!
//! ```xml
//! <allocations>
//!   <pool name="production"><schedulingMode>FAIR</schedulingMode><weight>2</weight><minShare>4</minShare></pool>
//! </allocations>
//! ```
//!
//! Must not know: how pools share.

use roxmltree::{Document, Node};
use vonk_error::{Error, Result};
use vonk_scheduler::{PoolOptions, SchedulingMode};

/// The pools of a file. What is missing of a pool is as Spark has it: FIFO, weight 1, no minimum.
pub(crate) fn from_file(path: &str) -> Result<Vec<PoolOptions>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::io(format!("cannot read the allocation file {path}"), e))?;
    from_text(&text).map_err(|cause| Error::io(format!("cannot read the allocation file {path}"), cause))
}

fn from_text(text: &str) -> std::result::Result<Vec<PoolOptions>, String> {
    let document = Document::parse(text).map_err(|e| e.to_string())?;
    let root = document.root_element();
    if !root.has_tag_name("allocations") {
        return Err("its root is not <allocations>".to_string());
    }
    root.children().filter(|n| n.has_tag_name("pool")).map(pool).collect()
}

fn pool(node: Node<'_, '_>) -> std::result::Result<PoolOptions, String> {
    let name = node.attribute("name").ok_or("a <pool> without a name")?;
    let text = |tag: &str| {
        let child = node.children().find(|n| n.has_tag_name(tag));
        child.and_then(|n| n.text()).map(str::trim).filter(|t| !t.is_empty())
    };
    let number = |tag: &str, default: u32| match text(tag) {
        None => Ok(default),
        Some(t) => t.parse::<u32>().map_err(|_| format!("<{tag}> of pool {name} is not a number: {t}")),
    };
    let mode = match text("schedulingMode").map(str::to_ascii_uppercase).as_deref() {
        None | Some("FIFO") => SchedulingMode::Fifo,
        Some("FAIR") => SchedulingMode::Fair,
        Some(other) => {
            return Err(format!("<schedulingMode> of pool {name} is neither FIFO nor FAIR: {other}"));
        }
    };
    Ok(PoolOptions {
        name: name.to_string(),
        mode,
        weight: number("weight", 1)?,
        min_share: number("minShare", 0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_with_what_is_missing_as_spark_has_it() {
        let text = "<?xml version=\"1.0\"?>\n<allocations>\n <pool name=\"a\"><schedulingMode> FAIR </schedulingMode>\
                    <weight>2</weight><minShare>3</minShare></pool><!-- b --><pool name=\"b\"/></allocations>";
        let a = PoolOptions { name: "a".into(), mode: SchedulingMode::Fair, weight: 2, min_share: 3 };
        assert_eq!(from_text(text).unwrap(), [a, PoolOptions::named("b")]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let pool = |inner: &str| format!("<allocations><pool name=\"p\">{inner}</pool></allocations>");
        let error = |text: &str| from_text(text).unwrap_err();
        assert!(error("<allocations><pool></allocations>").contains("pool"));
        assert!(error("<pools/>").contains("<allocations>"));
        assert!(error("<allocations><pool/></allocations>").contains("name"));
        assert!(error(&pool("<weight>x</weight>")).contains("weight"));
        assert!(error(&pool("<schedulingMode>LIFO</schedulingMode>")).contains("LIFO"));
    }
}

//! Row groups to partitions: neighbours together where they are many and small, and a large one shared out where tasks would
//! idle otherwise.
//!
//! Every part of a row group decodes the dictionaries of its columns anew, which bounds the parts that pay.

use super::metadata::FileMetadata;
use super::source::RowGroups;

/// Partitions aimed at per slot, so that a slow one does not keep the others waiting for long.
const PARTITIONS_PER_SLOT: usize = 3;
/// A row group is shared out if there are fewer than this many partitions per slot otherwise ...
const ENOUGH_PARTITIONS_PER_SLOT: usize = 2;
/// ... and only into parts of about so many rows.
const LEAST_ROWS_PER_PART: u64 = 32 << 10;
/// Dictionaries may be this share of the bytes: all parts decode them.
const MOST_REPEATED: f64 = 0.4;

/// A row group of a file.
pub(super) struct Group {
    pub file: u32,
    pub group: u32,
    pub rows: u64,
    /// Share of dictionaries in the bytes of the columns to read.
    repeated: f64,
    /// First rows of the pages of the first of these columns, if the file says so.
    pages: Vec<u64>,
}

impl Group {
    /// Those of a file, of which columns with these names will be read.
    pub fn all(file: u32, m: &FileMetadata, columns: &[&str]) -> Vec<Group> {
        let metadata = m.arrow.metadata();
        let schema = metadata.file_metadata().schema_descr();
        let leaves: Vec<usize> = (0..schema.num_columns())
            .filter(|l| columns.iter().any(|c| c.eq_ignore_ascii_case(schema.get_column_root(*l).name())))
            .collect();
        let group = |(g, group): (usize, &parquet::file::metadata::RowGroupMetaData)| {
            // Sizes and offsets are what the file says, which may be anything.
            let (mut dictionaries, mut bytes) = (0.0, 1.0);
            for leaf in &leaves {
                let column = group.column(*leaf);
                bytes += column.compressed_size().max(0) as f64;
                let first = column.dictionary_page_offset();
                dictionaries +=
                    first.map_or(0, |d| column.data_page_offset().saturating_sub(d).max(0)) as f64;
            }
            let pages = leaves.first().and_then(|l| metadata.offset_index()?.get(g)?.get(*l));
            let firsts = pages.map(|p| p.page_locations().iter().map(|l| l.first_row_index));
            Group {
                file,
                group: g as u32,
                rows: u64::try_from(group.num_rows()).unwrap_or(0),
                repeated: dictionaries / bytes,
                pages: firsts.map_or(vec![], |f| f.filter_map(|r| u64::try_from(r).ok()).collect()),
            }
        };
        metadata.row_groups().iter().enumerate().map(group).collect()
    }

    /// Into how many parts it should go when parts of so many rows are wanted.
    fn parts(&self, rows_per_part: u64, slots: usize) -> u64 {
        if slots < 2 || self.repeated > MOST_REPEATED {
            return 1;
        }
        let parts = (self.rows as f64 / rows_per_part as f64).round() as u64;
        // Few dictionaries: parts as small as wanted. More: no more parts than run at once.
        if self.repeated * parts as f64 > MOST_REPEATED { parts.min(slots as u64) } else { parts }
    }

    /// Ranges of about equal numbers of rows, cut between pages where those are known.
    fn cuts(&self, parts: u64) -> Vec<(u64, u64)> {
        let nearest = |at: u64| self.pages.iter().copied().min_by_key(|f| f.abs_diff(at)).unwrap_or(at);
        let mut edges: Vec<u64> = vec![0];
        edges.extend((1..parts).map(|i| nearest(self.rows / parts * i).min(self.rows)));
        edges.push(self.rows);
        edges.windows(2).filter(|w| w[0] < w[1]).map(|w| (w[0], w[1])).collect()
    }
}

/// Partitions with the rows of each, in the order of the row groups.
pub(super) fn partitions(groups: &[Group], slots: usize) -> Vec<(RowGroups, u64)> {
    let total = groups.iter().fold(0u64, |sum, g| sum.saturating_add(g.rows));
    let share = |per_slot: usize| total.div_ceil((slots * per_slot).max(1) as u64).max(1);
    let rows_per_part = share(ENOUGH_PARTITIONS_PER_SLOT).max(LEAST_ROWS_PER_PART);
    let rows_each = share(PARTITIONS_PER_SLOT);
    let none = || RowGroups { groups: vec![], rows: None };
    let (mut out, mut current, mut rows_now) = (Vec::new(), none(), 0);
    for g in groups {
        let parts = g.parts(rows_per_part, slots);
        if rows_now > 0 && (parts > 1 || g.rows / 2 > rows_each.saturating_sub(rows_now)) {
            out.push((std::mem::replace(&mut current, none()), rows_now));
            rows_now = 0;
        }
        if parts > 1 {
            let part =
                |rows: (u64, u64)| RowGroups { groups: vec![(g.file, vec![g.group])], rows: Some(rows) };
            out.extend(g.cuts(parts).into_iter().map(|r| (part(r), r.1 - r.0)));
            continue;
        }
        match current.groups.last_mut() {
            Some((f, list)) if *f == g.file => list.push(g.group),
            _ => current.groups.push((g.file, vec![g.group])),
        }
        rows_now = rows_now.saturating_add(g.rows);
    }
    if !current.groups.is_empty() || out.is_empty() {
        out.push((current, rows_now));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(group: u32, rows: u64, repeated: f64) -> Group {
        Group { file: 0, group, rows, repeated, pages: (0..rows).step_by(20_000).collect() }
    }

    fn shape(groups: &[Group], slots: usize) -> Vec<(usize, Option<(u64, u64)>)> {
        partitions(groups, slots).iter().map(|(p, _)| (p.groups[0].1.len(), p.rows)).collect()
    }

    #[test]
    fn a_single_large_group_is_shared_out_between_pages() {
        let cuts = shape(&[group(0, 150_000, 0.01)], 2);
        assert_eq!(
            cuts,
            [(0, 40_000), (40_000, 80_000), (80_000, 120_000), (120_000, 150_000)].map(|r| (1, Some(r)))
        );
        assert_eq!(shape(&[group(0, 150_000, 0.2)], 2).len(), 2);
        assert_eq!(shape(&[group(0, 150_000, 0.5)], 2), [(1, None)]);
        assert_eq!(shape(&[group(0, 150_000, 0.01)], 1), [(1, None)]);
        assert_eq!(shape(&[group(0, 20_000, 0.01)], 8), [(1, None)]);
    }

    #[test]
    fn many_groups_stay_whole_and_small_ones_share_a_partition() {
        let many: Vec<Group> = (0..6).map(|g| group(g, 1_000_000, 0.01)).collect();
        assert_eq!(shape(&many, 2), [(1, None); 6]);
        let small: Vec<Group> = (0..600).map(|g| group(g, 10, 0.01)).collect();
        assert_eq!(shape(&small, 2), [(100, None); 6]);
        let uneven = [group(0, 1_000_000, 0.01), group(1, 500_000, 0.01)];
        assert_eq!(shape(&uneven, 2).len(), 4);
        assert_eq!(partitions(&[], 2).len(), 1);
    }

    #[test]
    fn absurd_row_counts_do_not_make_absurd_partitions() {
        let absurd: Vec<Group> = (0..5).map(|g| Group { pages: vec![], ..group(g, 0, 0.01) }).collect();
        let absurd: Vec<Group> = absurd.into_iter().map(|g| Group { rows: i64::MAX as u64, ..g }).collect();
        assert!(partitions(&absurd, 4).len() <= 5 * 8);
    }
}

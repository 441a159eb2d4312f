//! How wide the columns of a table are, and which are left out, so that it fits a width.
//!
//! Must not know: what is in the cells.

/// What a column would like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Columns of the terminal that its widest cell takes.
    pub natural: usize,
    /// What it must have: with less it is left out.
    pub least: usize,
}

/// What fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// For each column that is shown, in order: which it is, and its width.
    pub columns: Vec<(usize, usize)>,
    /// Before which of the columns shown the ones left out would be; `None` if all are shown.
    pub gap: Option<usize>,
}

/// A cell that is cut keeps at least this much.
const LEAST: usize = 8;
/// A number that is cut is another number, and half a date is none: up to this width they are not cut, the names above them are.
const STIFF: usize = 24;

impl Wish {
    /// Of a column whose names and cells are so wide, and whose cells say something else when they are cut, if `stiff`.
    pub fn new(header: usize, cells: usize, stiff: bool) -> Wish {
        let natural = header.max(cells).max(1);
        let least = if stiff { cells.clamp(LEAST, STIFF) } else { LEAST };
        Wish { natural, least: least.min(natural) }
    }
}

/// What a column takes beside its text: a blank on either side and a line.
const FRAME: usize = 3;
/// The column that stands for those left out: one character.
const GAP: usize = 1;

/// Fits columns into `width`; `None` is any width.
pub fn fit(wishes: &[Wish], width: Option<usize>) -> Fit {
    let natural = || wishes.iter().enumerate().map(|(i, w)| (i, w.natural)).collect();
    let Some(width) = width else { return Fit { columns: natural(), gap: None } };
    let frame = |columns: usize| columns * FRAME + 1;
    if wishes.iter().map(|w| w.natural).sum::<usize>() + frame(wishes.len()) <= width {
        return Fit { columns: natural(), gap: None };
    }
    let least: Vec<usize> = wishes.iter().map(|w| w.least).collect();
    if least.iter().sum::<usize>() + frame(wishes.len()) <= width {
        let all: Vec<usize> = (0..wishes.len()).collect();
        return Fit { columns: shares(wishes, &all, width - frame(wishes.len())), gap: None };
    }
    // From both ends in turn, as long as the next one fits beside the gap; the first column is always there.
    let (mut left, mut right) = (1, wishes.len());
    let mut used = frame(2) + GAP + least.first().copied().unwrap_or(0);
    let mut from_right = true;
    while left < right {
        let next = if from_right { right - 1 } else { left };
        if used + least[next] + FRAME > width {
            break;
        }
        used += least[next] + FRAME;
        if from_right {
            right -= 1;
        } else {
            left += 1;
        }
        from_right = !from_right;
    }
    let shown: Vec<usize> = (0..left).chain(right..wishes.len()).collect();
    let room = width.saturating_sub(frame(shown.len() + 1) + GAP);
    Fit { columns: shares(wishes, &shown, room), gap: (left < right).then_some(left) }
}

/// Shares `room` out: each column gets what it would like up to a common limit, the largest that leaves enough for all.
fn shares(wishes: &[Wish], shown: &[usize], room: usize) -> Vec<(usize, usize)> {
    let with_limit = |limit: usize| -> Vec<usize> {
        shown.iter().map(|i| wishes[*i].natural.min(limit.max(wishes[*i].least))).collect()
    };
    let widest = shown.iter().map(|i| wishes[*i].natural).max().unwrap_or(0);
    let (mut low, mut high) = (1, widest.max(1));
    while low < high {
        let middle = (low + high).div_ceil(2);
        if with_limit(middle).iter().sum::<usize>() <= room { low = middle } else { high = middle - 1 }
    }
    let mut widths = with_limit(low);
    let mut rest = room.saturating_sub(widths.iter().sum());
    for (width, i) in widths.iter_mut().zip(shown) {
        if rest > 0 && *width < wishes[*i].natural {
            *width += 1;
            rest -= 1;
        }
    }
    // Where not even the least of one column fits, what there is.
    if let [only] = widths.as_mut_slice() {
        *only = (*only).min(room.max(1));
    }
    shown.iter().copied().zip(widths).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    fn text(natural: usize) -> Wish {
        Wish::new(1, natural, false)
    }

    fn number(natural: usize) -> Wish {
        Wish::new(1, natural, true)
    }

    fn total(fit: &Fit) -> usize {
        let gap = fit.gap.map_or(0, |_| GAP + FRAME);
        fit.columns.iter().map(|(_, w)| w + FRAME).sum::<usize>() + 1 + gap
    }

    #[test]
    fn what_fits_is_left_alone() {
        let wishes = [text(10), number(5)];
        assert_eq!(fit(&wishes, Some(22)).columns, [(0, 10), (1, 5)]);
        assert_eq!(fit(&[text(1000)], None).columns, [(0, 1000)]);
    }

    #[test]
    fn wide_cells_are_cut_before_columns_are_left_out_and_numbers_last() {
        let wishes = [text(100), number(20), text(12)];
        let fit = fit(&wishes, Some(80));
        assert_eq!((fit.gap, total(&fit)), (None, 80));
        assert_eq!(fit.columns, [(0, 38), (1, 20), (2, 12)]);
    }

    #[test]
    fn columns_are_left_out_in_the_middle() {
        let wishes = [text(20); 30];
        let fit = fit(&wishes, Some(80));
        let shown: Vec<usize> = fit.columns.iter().map(|c| c.0).collect();
        assert_eq!(shown, [0, 1, 2, 27, 28, 29]);
        assert_eq!(fit.gap, Some(3));
        assert!(total(&fit) <= 80, "{fit:?}");
    }

    /// Whatever is asked, the table is no wider than asked as long as that is wide enough for anything.
    #[test]
    fn never_wider_than_asked() {
        let mut seed = 7u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..20_000 {
            let wishes: Vec<Wish> = (0..next(40) + 1)
                .map(|_| Wish::new(next(30) as usize, next(60) as usize + 1, next(2) == 0))
                .collect();
            let width = next(250) as usize + 32;
            let fit = fit(&wishes, Some(width));
            assert!(total(&fit) <= width, "{wishes:?} {width} {fit:?}");
            assert!(!fit.columns.is_empty());
            assert!(fit.columns.iter().all(|(i, w)| *w <= wishes[*i].natural && *w > 0), "{fit:?}");
        }
    }
}

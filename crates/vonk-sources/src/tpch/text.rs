//! The text that comments are cut from, without making all of it first.
//!
//! TPC-H cuts every comment at random from 300 MB of text that one stream of random numbers makes, sentence by sentence (clause 4.2.2.14).
//! To make it takes a second; who wants the first rows does not wait for it. So a table of checkpoints, one for each 16 KB, says in which
//! state the stream was at the last sentence that began before: from there a comment is a few sentences away. Who wants many comments has
//! the whole text made meanwhile, by a thread beside.
//!
//! Must not know: tables and columns.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tpchgen::distribution::{Distribution, Distributions};
use tpchgen::random::RowRandomInt;
use tpchgen::text::TextPool;

/// Bytes of the text.
pub(super) const TEXT_BYTES: i32 = 300 << 20;
/// Bytes from one checkpoint to the next.
const BLOCK_BYTES: usize = 16 << 10;
/// Bytes of a checkpoint: the state of the random numbers, and how long before the block the sentence begins.
const CHECKPOINT_BYTES: usize = 6;
/// Made by the test `checkpoints`.
static CHECKPOINTS: &[u8] = include_bytes!("text_checkpoints.bin");

static WHOLE: OnceLock<&'static TextPool> = OnceLock::new();

/// The whole text, if it has been made.
pub(super) fn whole_if_made() -> Option<&'static TextPool> {
    WHOLE.get().copied()
}

/// The whole text; makes it if nobody has.
pub(super) fn whole() -> &'static TextPool {
    WHOLE.get_or_init(TextPool::get_or_init_default)
}

/// Has the whole text made by a thread of its own, once.
pub(super) fn prepare_whole() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    if !BEGUN.swap(true, Ordering::Relaxed) {
        let thread = std::thread::Builder::new().name("vonk-text".to_string());
        // Without a thread, comments go on being made one by one.
        let _ = thread.spawn(whole);
    }
}

/// Text of no meaning, for generators whose comments nobody reads. Longer than any comment.
pub(super) fn none() -> &'static TextPool {
    static NONE: OnceLock<TextPool> = OnceLock::new();
    NONE.get_or_init(|| TextPool::new(4 << 10, Distributions::static_default()))
}

/// The text from `begin` on, so many bytes, made anew. `scratch` is any buffer.
pub(super) fn piece(begin: usize, length: usize, scratch: &mut Vec<u8>) -> &[u8] {
    let block = begin / BLOCK_BYTES;
    let at = block * CHECKPOINT_BYTES;
    let Some([a, b, c, d, e, f]) = CHECKPOINTS.get(at..at + CHECKPOINT_BYTES) else { return &[] };
    let state = i64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    let start = block * BLOCK_BYTES - usize::from(u16::from_le_bytes([*e, *f]));
    let mut sentences = Sentences(RowRandomInt::new(state, i32::MAX));
    scratch.clear();
    let (from, to) = (begin - start, begin - start + length);
    while scratch.len() < to {
        sentences.next(scratch);
    }
    &scratch[from..to]
}

/// Makes sentences out of random numbers.
struct Sentences(RowRandomInt);

impl Sentences {
    fn next(&mut self, out: &mut Vec<u8>) {
        let all = Distributions::static_default();
        for symbol in all.grammar().random_value(&mut self.0).chars().step_by(2) {
            match symbol {
                'N' => self.noun_phrase(all, out),
                'V' => {
                    for symbol in all.verb_phrase().random_value(&mut self.0).chars().step_by(2) {
                        match symbol {
                            'D' => self.word(all.adverbs(), out),
                            'X' => self.word(all.auxiliaries(), out),
                            _ => self.word(all.verbs(), out),
                        }
                    }
                }
                'P' => {
                    self.word(all.prepositions(), out);
                    out.extend_from_slice(b"the ");
                    self.noun_phrase(all, out);
                }
                _ => {
                    // The end stands right behind the last word.
                    out.pop();
                    self.word(all.terminators(), out);
                }
            }
        }
    }

    fn noun_phrase(&mut self, all: &Distributions, out: &mut Vec<u8>) {
        for symbol in all.noun_phrase().random_value(&mut self.0).chars() {
            match symbol {
                'A' => self.word(all.articles(), out),
                'J' => self.word(all.adjectives(), out),
                'D' => self.word(all.adverbs(), out),
                'N' => self.word(all.nouns(), out),
                ',' => {
                    out.pop();
                    out.extend_from_slice(b", ");
                }
                _ => {}
            }
        }
    }

    fn word(&mut self, of: &Distribution, out: &mut Vec<u8>) {
        out.extend_from_slice(of.random_value(&mut self.0).as_bytes());
        out.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULUS: i64 = (1 << 31) - 1;
    /// Undoes a step of the random numbers: 16807 times this is 1.
    const BACK: i64 = 1_407_677_000;

    impl Sentences {
        /// From the beginning of the text.
        fn first() -> Sentences {
            Sentences(RowRandomInt::new(933_588_178, i32::MAX))
        }

        fn state(&self) -> i64 {
            let mut next = self.0;
            next.next_rand() * BACK % MODULUS
        }
    }

    fn checkpoints() -> Vec<u8> {
        let (mut table, mut sentences, mut text) = (Vec::new(), Sentences::first(), Vec::new());
        let (mut done, mut next) = (0usize, 0usize);
        while next < TEXT_BYTES as usize {
            let state = sentences.state();
            text.clear();
            sentences.next(&mut text);
            while next < done + text.len() && next < TEXT_BYTES as usize {
                table.extend_from_slice(&u32::try_from(state).unwrap().to_le_bytes());
                table.extend_from_slice(&u16::try_from(next - done).unwrap().to_le_bytes());
                next += BLOCK_BYTES;
            }
            done += text.len();
        }
        table
    }

    /// `VONK_UPDATE=1` writes the table anew.
    #[test]
    fn the_checkpoints_are_those_of_the_text() {
        let table = checkpoints();
        if std::env::var_os("VONK_UPDATE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tpch/text_checkpoints.bin");
            std::fs::write(path, &table).unwrap();
        }
        assert!(table == CHECKPOINTS, "run with VONK_UPDATE=1");
        let (whole, mut scratch) = (whole(), Vec::new());
        for begin in (0..TEXT_BYTES - 200).step_by(99_991) {
            let piece = piece(begin as usize, 200, &mut scratch);
            assert_eq!(whole.text(begin, begin + 200).as_bytes(), piece, "{begin}");
        }
    }

    #[test]
    fn pieces_are_those_of_the_text() {
        let mut text = Vec::new();
        let mut sentences = Sentences::first();
        while text.len() < 100_000 {
            sentences.next(&mut text);
        }
        // The generator's own text of this size has the same beginning.
        let own = TextPool::new(100_000, Distributions::static_default());
        assert_eq!(own.text(0, 100_000).as_bytes(), &text[..100_000]);
        let mut scratch = Vec::new();
        for begin in (0..99_900).step_by(331) {
            assert_eq!(piece(begin, 97, &mut scratch), &text[begin..begin + 97], "{begin}");
        }
        // The table reaches to the end.
        assert_eq!(CHECKPOINTS.len(), TEXT_BYTES as usize / BLOCK_BYTES * CHECKPOINT_BYTES);
        assert_eq!(piece(TEXT_BYTES as usize - 43, 43, &mut scratch).len(), 43);
    }
}

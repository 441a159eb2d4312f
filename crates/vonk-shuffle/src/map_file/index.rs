//! The index of a map output.
//!
//! Layout, little-endian: magic, attempt, partitions, messages, length and checksum of the schema's message; per partition the
//! number of its first message (and one more, the end); per message header length, body length, rows, checksum; checksum of all.

use crate::file::Frame;
use crate::map_file::Damage;
use crate::message::Message;
use bytes::Bytes;

const MAGIC: &[u8; 8] = b"VonkMap1";
/// Magic and five numbers.
const HEAD: usize = 8 + 5 * 4;
const PER_MESSAGE: usize = 16;
/// More reduce partitions or messages than this are damage.
const MOST: u32 = 1 << 28;

/// Where the blocks of a map output are in its data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MapIndex {
    /// The attempt that wrote it: another may have cut its batches elsewhere.
    pub attempt: u32,
    /// Bytes of the schema's message, at the beginning of the data; 0 if there are no batches.
    pub schema_bytes: u32,
    pub schema_crc: u32,
    /// Per partition its first message, and the end of the last.
    first: Box<[u32]>,
    /// Per message: header length, body length, rows, checksum.
    messages: Box<[[u32; 4]]>,
    /// Per message where it begins, and the end of the last.
    offsets: Box<[u64]>,
}

impl MapIndex {
    /// Of messages that follow each other, partition by partition.
    pub fn new(attempt: u32, schema: (u32, u32), first: Vec<u32>, messages: Vec<[u32; 4]>) -> MapIndex {
        let mut offsets = Vec::with_capacity(messages.len() + 1);
        let mut at = u64::from(schema.0);
        offsets.push(at);
        for [header, body, ..] in &messages {
            at += crate::message::PREFIX as u64 + u64::from(*header) + u64::from(*body);
            offsets.push(at);
        }
        let (schema_bytes, schema_crc) = schema;
        let (first, messages, offsets) = (first.into(), messages.into(), offsets.into());
        MapIndex { attempt, schema_bytes, schema_crc, first, messages, offsets }
    }

    /// Reduce partitions.
    pub fn partitions(&self) -> u32 {
        (self.first.len() - 1) as u32
    }

    /// Bytes of the data file.
    pub fn data_bytes(&self) -> u64 {
        self.offsets[self.messages.len()]
    }

    /// Bytes that it takes in memory, about.
    pub fn memory_bytes(&self) -> u64 {
        (self.first.len() * 4 + self.messages.len() * (PER_MESSAGE + 8)) as u64
    }

    /// Messages of a reduce partition; 0 for one that is not there.
    pub fn count(&self, reduce: u32) -> u32 {
        match self.first.get(reduce as usize..).unwrap_or_default() {
            [from, to, ..] => to - from,
            _ => 0,
        }
    }

    /// Messages of a reduce partition from the `from`th on: at least one, and more while they take no more than `max_bytes`.
    pub fn frames(&self, reduce: u32, from: u32, max_bytes: u64) -> Vec<Frame> {
        let count = self.count(reduce);
        if from >= count {
            return vec![];
        }
        let begin = self.first[reduce as usize] as usize;
        let (begin, end) = (begin + from as usize, begin + count as usize);
        let start = self.offsets[begin];
        let fits = |m: &usize| *m == begin || self.offsets[*m + 1] - start <= max_bytes;
        let frame = |m: usize| {
            let [header, body, rows, crc] = self.messages[m];
            Frame { offset: self.offsets[m], header, body, rows, crc }
        };
        (begin..end).take_while(fits).map(frame).collect()
    }

    /// The messages of frames that follow each other, from the bytes that they take.
    pub fn messages(&self, frames: &[Frame], bytes: &Bytes) -> Result<Vec<Message>, Damage> {
        let start = frames.first().map_or(0, |f| f.offset);
        let corrupt = |f: &Frame| Damage::Corrupt(format!("the bytes from {} on", f.offset));
        let whole =
            |f: &Frame| f.message_in(bytes, start).filter(Message::is_whole).ok_or_else(|| corrupt(f));
        frames.iter().map(whole).collect()
    }

    /// As it stands in the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.first.len() * 4 + self.messages.len() * PER_MESSAGE + 4);
        out.extend_from_slice(MAGIC);
        let head =
            [self.attempt, self.partitions(), self.messages.len() as u32, self.schema_bytes, self.schema_crc];
        let words = head.iter().chain(&self.first).chain(self.messages.as_flattened());
        words.for_each(|w| out.extend_from_slice(&w.to_le_bytes()));
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// From a file that may be anything.
    pub fn decode(bytes: &[u8]) -> Result<MapIndex, Damage> {
        let corrupt = || Damage::Corrupt("its index".into());
        let (body, crc) = bytes.split_last_chunk::<4>().ok_or_else(corrupt)?;
        if body.len() < HEAD || !body.starts_with(MAGIC) || crc32fast::hash(body) != u32::from_le_bytes(*crc)
        {
            return Err(corrupt());
        }
        let (words, rest) = body[MAGIC.len()..].as_chunks::<4>();
        let mut words = words.iter().map(|w| u32::from_le_bytes(*w));
        let mut head = [0; 5];
        head.iter_mut().for_each(|h| *h = words.next().unwrap_or(0));
        let [attempt, partitions, messages, schema_bytes, schema_crc] = head;
        if partitions > MOST || messages > MOST || !rest.is_empty() {
            return Err(corrupt());
        }
        if body.len() != HEAD + (partitions as usize + 1) * 4 + messages as usize * PER_MESSAGE {
            return Err(corrupt());
        }
        let first: Vec<u32> = words.by_ref().take(partitions as usize + 1).collect();
        if !first.is_sorted() || first.first() != Some(&0) || first.last() != Some(&messages) {
            return Err(corrupt());
        }
        let numbers: Vec<u32> = words.collect();
        let (messages, _) = numbers.as_chunks::<4>();
        Ok(MapIndex::new(attempt, (schema_bytes, schema_crc), first, messages.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> MapIndex {
        let messages = vec![[8, 16, 1, 5], [16, 0, 2, 6], [8, 8, 3, 7]];
        MapIndex::new(9, (64, 1), vec![0, 0, 2, 3, 3], messages)
    }

    #[test]
    fn what_was_encoded_comes_back() {
        let index = index();
        assert_eq!((index.partitions(), index.data_bytes()), (4, 64 + 32 + 24 + 24));
        assert_eq!((0..6).map(|r| index.count(r)).collect::<Vec<_>>(), [0, 2, 1, 0, 0, 0]);
        assert_eq!(MapIndex::decode(&index.encode()).unwrap(), index);
        let empty = MapIndex::new(0, (0, 0), vec![0], vec![]);
        assert_eq!(MapIndex::decode(&empty.encode()).unwrap(), empty);
    }

    #[test]
    fn frames_are_bounded_but_at_least_one() {
        let index = index();
        let offsets = |from, max| index.frames(1, from, max).iter().map(|f| f.offset).collect::<Vec<_>>();
        assert_eq!(offsets(0, 0), [64]);
        assert_eq!(offsets(0, 55), [64]);
        assert_eq!(offsets(0, 56), [64, 96]);
        assert_eq!(offsets(1, 0), [96]);
        assert_eq!(offsets(2, 1000), [0; 0]);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let bytes = index().encode();
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 0x10;
            assert!(MapIndex::decode(&changed).is_err(), "byte {i}");
            assert!(MapIndex::decode(&bytes[..i]).is_err(), "cut at {i}");
        }
        // Numbers that cannot be, with a right checksum.
        let mut absurd = bytes[..bytes.len() - 4].to_vec();
        absurd[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        let crc = crc32fast::hash(&absurd);
        absurd.extend_from_slice(&crc.to_le_bytes());
        assert!(MapIndex::decode(&absurd).is_err());
    }
}

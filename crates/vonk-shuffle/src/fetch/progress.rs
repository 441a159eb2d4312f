//! What a reader has asked for, what has arrived, and what may be asked for next. No network and no clock here.
//!
//! Invariants: bytes on their way and not consumed stay below the bound, but for one request to the place whose output the task
//! waits for and the last batch of each request; of all places, the one whose next output the task needs first is asked first; a
//! place has one request at a time.

use crate::fetch::FetchOptions;
use crate::fetch::stream::Arrived;
use crate::flight::protocol::Resume;
use crate::message::Message;
use crate::places::Place;
use arrow::datatypes::SchemaRef;
use std::collections::{BTreeSet, VecDeque};
use vonk_error::Error;

/// What is fetched from one place.
pub(crate) struct Remote {
    pub place: Place,
    /// Its map outputs, ascending.
    pub maps: Vec<u32>,
    queue: VecDeque<(usize, SchemaRef, Message)>,
    /// Outputs before this position have arrived whole.
    whole: usize,
    /// Where to go on in the output at `whole`.
    resume: Option<Resume>,
    running: bool,
    failed: Option<Error>,
}

/// A request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub remote: usize,
    /// Position of its first map output among those of the place.
    pub from: usize,
    pub maps: Vec<u32>,
    pub resume: Option<Resume>,
    pub max_bytes: u64,
}

/// What is there of an output.
pub(crate) enum Next {
    Batch(SchemaRef, Message),
    /// No more of this output.
    Done,
    Failed(Error),
    /// It has not arrived.
    Wait,
}

/// All places of a reader.
pub(crate) struct Progress {
    pub remotes: Vec<Remote>,
    /// Places without a request that have more, by the map output they go on with.
    idle: BTreeSet<(u32, usize)>,
    running: usize,
    /// Bytes arrived and not consumed.
    buffered: u64,
    /// Bytes that running requests may still bring.
    expected: u64,
    /// Per remote.
    expected_of: Vec<u64>,
    max_bytes: u64,
    request_bytes: u64,
    max_requests: usize,
    most_buffered: u64,
}

impl Progress {
    pub fn new(places: Vec<(Place, Vec<u32>)>, options: &FetchOptions) -> Self {
        let remote = |(place, maps)| Remote {
            place,
            maps,
            queue: VecDeque::new(),
            whole: 0,
            resume: None,
            running: false,
            failed: None,
        };
        let remotes: Vec<Remote> = places.into_iter().map(remote).collect();
        let first = |(i, r): (usize, &Remote)| r.maps.first().map(|m| (*m, i));
        Progress {
            idle: remotes.iter().enumerate().filter_map(first).collect(),
            expected_of: vec![0; remotes.len()],
            remotes,
            running: 0,
            buffered: 0,
            expected: 0,
            max_bytes: options.max_bytes_in_flight,
            request_bytes: options.request_bytes(),
            max_requests: options.max_requests.max(1),
            most_buffered: 0,
        }
    }

    /// Most bytes that were ever there at once.
    pub fn most_buffered(&self) -> u64 {
        self.most_buffered
    }

    /// Bytes arrived and not consumed.
    pub fn buffered(&self) -> u64 {
        self.buffered
    }

    /// The next request that may be sent. `waiting`: the place whose output the task waits for now.
    pub fn request(&mut self, waiting: Option<usize>) -> Option<Request> {
        let room = self.buffered + self.expected + self.request_bytes <= self.max_bytes || self.running == 0;
        let fits = room && self.running < self.max_requests && (self.buffered < self.max_bytes);
        let urgent = waiting.and_then(|r| self.idle.iter().find(|(_, i)| *i == r)).copied();
        let chosen = urgent.or_else(|| self.idle.first().copied().filter(|_| fits))?;
        self.idle.remove(&chosen);
        let remote = &mut self.remotes[chosen.1];
        remote.running = true;
        self.running += 1;
        self.expected += self.request_bytes;
        self.expected_of[chosen.1] = self.request_bytes;
        Some(self.again(chosen.1))
    }

    /// What a running request has still to ask for.
    pub fn again(&self, remote: usize) -> Request {
        let r = &self.remotes[remote];
        let maps = r.maps[r.whole..].to_vec();
        Request { remote, from: r.whole, maps, resume: r.resume, max_bytes: self.request_bytes }
    }

    /// The map output that a place goes on with.
    pub fn current_map(&self, remote: usize) -> u32 {
        let r = &self.remotes[remote];
        r.maps.get(r.whole).or(r.maps.last()).copied().unwrap_or(0)
    }

    /// A batch of the output at position `from + arrived.position`.
    pub fn arrived(&mut self, remote: usize, from: usize, arrived: Arrived) {
        let bytes = arrived.message.stored_bytes();
        let expected = &mut self.expected_of[remote];
        let used = bytes.min(*expected);
        *expected -= used;
        self.expected -= used;
        self.buffered += bytes;
        self.most_buffered = self.most_buffered.max(self.buffered);
        let r = &mut self.remotes[remote];
        let position = from + arrived.position as usize;
        r.whole = position;
        r.resume = Some(arrived.at);
        r.queue.push_back((position, arrived.schema, arrived.message));
    }

    /// A stream ended well: outputs before `position` are whole.
    pub fn advanced(&mut self, remote: usize, position: usize, resume: Option<Resume>) {
        let r = &mut self.remotes[remote];
        r.whole = position.min(r.maps.len());
        r.resume = resume;
    }

    /// The place says that it cannot give this map output; it has given those before.
    pub fn lost(&mut self, remote: usize, map: u32) {
        let r = &mut self.remotes[remote];
        if let Ok(position) = r.maps.binary_search(&map) {
            if position > r.whole {
                (r.whole, r.resume) = (position, None);
            }
        }
    }

    /// A request is over.
    pub fn ended(&mut self, remote: usize, failed: Option<Error>) {
        self.expected -= std::mem::take(&mut self.expected_of[remote]);
        self.running -= 1;
        let r = &mut self.remotes[remote];
        r.running = false;
        r.failed = failed;
        if r.failed.is_none() && r.whole < r.maps.len() {
            self.idle.insert((r.maps[r.whole], remote));
        }
    }

    /// The next batch of an output.
    pub fn next(&mut self, remote: usize, position: usize) -> Next {
        let r = &mut self.remotes[remote];
        if r.queue.front().is_some_and(|(p, ..)| *p == position) {
            if let Some((_, schema, message)) = r.queue.pop_front() {
                self.buffered -= message.stored_bytes();
                return Next::Batch(schema, message);
            }
        }
        if r.whole > position {
            return Next::Done;
        }
        match &r.failed {
            Some(error) => Next::Failed(error.clone()),
            None => Next::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::Source;
    use arrow::datatypes::Schema;
    use std::sync::Arc;

    /// Numbers that look random, from a seed.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % n as u64) as usize
        }
    }

    fn message(bytes: usize) -> Message {
        Message { header: vec![0; 8].into(), body: vec![0; bytes].into(), rows: 1, crc: 0 }
    }

    fn place(executor: usize) -> Place {
        Place { executor: executor as u64, source: Source::Flight(String::new()) }
    }

    /// A request on its way, and what its server still has to send: position, message.
    struct Running {
        request: Request,
        to_send: VecDeque<(usize, u32)>,
    }

    /// Places answer in any order and as slowly as they like; batches come out in the order of the maps, bounds hold, and it ends.
    #[test]
    fn whatever_arrives_when_the_order_holds_and_the_bound() {
        for seed in 1..300 {
            let random = &mut Random(seed * 0x9E37_79B9);
            let (maps, places) = (1 + random.below(30), 1 + random.below(5));
            let blocks: Vec<(usize, u32)> =
                (0..maps).map(|_| (random.below(places), random.below(4) as u32)).collect();
            let of = |p: usize| (0..maps).filter(|m| blocks[*m].0 == p).map(|m| m as u32).collect();
            let remotes: Vec<(Place, Vec<u32>)> = (0..places).map(|p| (place(p), of(p))).collect();
            let positions: Vec<usize> =
                (0..maps).map(|m| blocks[..m].iter().filter(|b| b.0 == blocks[m].0).count()).collect();
            let options = FetchOptions { max_bytes_in_flight: 1000, max_requests: 3, ..Default::default() };
            let mut progress = Progress::new(remotes, &options);
            let mut running: Vec<Running> = vec![];
            let (mut map, mut seen, mut steps) = (0, 0, 0);
            while map < maps {
                steps += 1;
                assert!(steps < 100_000, "seed {seed} does not end");
                let (remote, position) = (blocks[map].0, positions[map]);
                match progress.next(remote, position) {
                    Next::Batch(..) => seen += 1,
                    Next::Done => {
                        assert_eq!(seen, blocks[map].1, "seed {seed}, map {map}");
                        (map, seen) = (map + 1, 0);
                    }
                    Next::Failed(e) => panic!("{e}"),
                    Next::Wait => {
                        while let Some(request) = progress.request(Some(remote)) {
                            let r = &progress.remotes[request.remote];
                            let done = |i: usize| {
                                request.resume.filter(|_| i == request.from).map_or(0, |r| r.message)
                            };
                            let block =
                                |i: usize| (done(i)..blocks[r.maps[i] as usize].1).map(move |m| (i, m));
                            let to_send = (request.from..r.maps.len()).flat_map(block).collect();
                            running.push(Running { request, to_send });
                        }
                        assert!(!running.is_empty(), "seed {seed}: waits for nothing");
                        step(&mut progress, &mut running, random);
                    }
                }
                if random.below(3) == 0 && !running.is_empty() {
                    step(&mut progress, &mut running, random);
                }
            }
            // The bound, one request beyond it for the place that is waited for, and the last batch of each.
            assert!(
                progress.most_buffered() <= 1000 + 200 + 4 * 280,
                "seed {seed}: {}",
                progress.most_buffered()
            );
            assert_eq!(progress.buffered(), 0);
        }
    }

    /// One server sends a batch or ends its stream.
    fn step(progress: &mut Progress, running: &mut Vec<Running>, random: &mut Random) {
        let chosen = random.below(running.len());
        let Running { request, to_send } = &mut running[chosen];
        let enough = progress.expected_of[request.remote] == 0;
        if let Some((position, m)) = to_send.front().copied().filter(|_| !enough) {
            to_send.pop_front();
            let at = Resume { reduce: 0, message: m + 1, attempt: 0 };
            let position = (position - request.from) as u32;
            let message = message(20 + random.below(250));
            let arrived = Arrived { position, at, schema: Arc::new(Schema::empty()), message };
            progress.arrived(request.remote, request.from, arrived);
            return;
        }
        let end = to_send.front().map(|(i, m)| (*i, Some(Resume { reduce: 0, message: *m, attempt: 0 })));
        let (position, resume) = end.unwrap_or((progress.remotes[request.remote].maps.len(), None));
        progress.advanced(request.remote, position, resume);
        progress.ended(request.remote, None);
        running.remove(chosen);
    }
}

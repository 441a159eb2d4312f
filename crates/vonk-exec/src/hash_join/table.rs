//! The table of a join: build rows by key.

use crate::hashing::{KeyTable, NONE, Scratch};
use arrow::array::{ArrayRef, RecordBatch};
use vonk_error::{Error, Result};

/// Build rows, and which of them have a key.
pub(crate) struct JoinTable {
    /// All build rows.
    pub rows: RecordBatch,
    keys: KeyTable,
    chains: Chains,
    /// Some row has null where null is no key.
    pub has_null_key: bool,
}

/// Rows by the number of their key.
enum Chains {
    /// Every key has one row, of the same number.
    Unique,
    /// Rows of key `k` are `rows[starts[k]..starts[k + 1]]`.
    Many { starts: Vec<u32>, rows: Vec<u32> },
}

impl JoinTable {
    /// A table of these rows. `null_safe` says per key whether null equals null.
    pub fn new(rows: RecordBatch, keys: &[ArrayRef], null_safe: &[bool]) -> Result<Self> {
        let n = rows.num_rows();
        if n >= NONE as usize {
            return Err(Error::internal("too many rows on one side of a join"));
        }
        let types = keys.iter().map(|k| k.data_type().clone()).collect();
        let mut table = KeyTable::new(types, null_safe.to_vec())?;
        let mut ids = Vec::new();
        table.insert(keys, n, &mut ids)?;
        let has_null_key = ids.contains(&NONE);
        // Null may have taken a number out of turn.
        let unique = table.len() == n && ids.iter().enumerate().all(|(row, id)| row == *id as usize);
        let chains = if unique { Chains::Unique } else { chains(&ids, table.len()) };
        Ok(JoinTable { rows, keys: table, chains, has_null_key })
    }

    /// Keys of all rows of a batch, by number; [`NONE`] where no build row has it.
    pub fn find(
        &self,
        keys: &[ArrayRef],
        rows: usize,
        scratch: &mut Scratch,
        ids: &mut Vec<u32>,
    ) -> Result<()> {
        self.keys.find(keys, rows, scratch, ids)
    }

    /// Number of keys.
    pub fn num_keys(&self) -> usize {
        self.keys.len()
    }

    /// Whether every key has one row, whose number is that of the key.
    pub fn is_unique(&self) -> bool {
        matches!(self.chains, Chains::Unique)
    }

    /// Number of rows of a key.
    #[inline]
    pub fn count(&self, key: u32) -> usize {
        match &self.chains {
            Chains::Unique => 1,
            Chains::Many { starts, .. } => (starts[key as usize + 1] - starts[key as usize]) as usize,
        }
    }

    /// Rows of a key, if it can have several.
    #[inline]
    pub fn chain(&self, key: u32) -> &[u32] {
        match &self.chains {
            Chains::Unique => &[],
            Chains::Many { starts, rows } => {
                &rows[starts[key as usize] as usize..starts[key as usize + 1] as usize]
            }
        }
    }

    /// Bytes held beside the rows.
    pub fn size(&self) -> usize {
        let chains = match &self.chains {
            Chains::Unique => 0,
            Chains::Many { starts, rows } => (starts.capacity() + rows.capacity()) * 4,
        };
        self.keys.size() + chains
    }
}

/// Rows sorted by the number of their key, by counting.
fn chains(ids: &[u32], keys: usize) -> Chains {
    let mut starts = vec![0u32; keys + 1];
    for id in ids.iter().filter(|id| **id != NONE) {
        starts[*id as usize + 1] += 1;
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut rows = vec![0u32; sum as usize];
    for (row, id) in ids.iter().enumerate().filter(|(_, id)| **id != NONE) {
        let at = &mut next[*id as usize];
        rows[*at as usize] = row as u32;
        *at += 1;
    }
    Chains::Many { starts, rows }
}

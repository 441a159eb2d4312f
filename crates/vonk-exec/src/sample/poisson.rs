//! How often a row is drawn with replacement: Poisson's distribution, by the random numbers that Spark takes for it.
//!
//! Spark's `PoissonSampler` asks Commons Math 3 (`PoissonDistribution` over `Well19937c`); the generator and, for means below 40, the
//! method are those, so that the same seed draws the same rows. A larger mean is cut into pieces below 40, whose sum has the same
//! distribution, where Commons Math has another method: then the rows are other ones.

/// Where the multiplicative method ends.
const LARGE: f64 = 40.0;

/// Numbers of Poisson's distribution.
pub(super) struct Poisson {
    random: Well19937c,
    /// The mean in equal pieces, each below [`LARGE`].
    piece: f64,
    pieces: u32,
}

impl Poisson {
    /// Those of a partition.
    pub fn new(mean: f64, seed: i64, partition: u32) -> Poisson {
        let mean = if mean.is_finite() { mean.max(0.0) } else { 0.0 };
        let pieces = (mean / LARGE).floor() + 1.0;
        let mut seeds = JavaRandom::new(seed);
        let seed = (0..=partition).map(|_| seeds.next_long()).last().unwrap_or(seed);
        Poisson { random: Well19937c::new(seed), piece: mean / pieces, pieces: pieces as u32 }
    }

    /// The next.
    pub fn next(&mut self) -> u32 {
        if self.piece == 0.0 {
            return 0;
        }
        let end = (-self.piece).exp();
        let mut total = 0;
        for _ in 0..self.pieces {
            let mut product = 1.0;
            let mut n = 0;
            while f64::from(n) < 1000.0 * self.piece {
                product *= self.random.next_double();
                if product < end {
                    break;
                }
                n += 1;
            }
            total += n;
        }
        total
    }
}

/// `java.util.Random`, of which Spark takes a seed for each partition in turn.
struct JavaRandom(i64);

impl JavaRandom {
    const MULTIPLIER: i64 = 0x5_deec_e66d;
    const MASK: i64 = (1 << 48) - 1;

    fn new(seed: i64) -> Self {
        JavaRandom((seed ^ Self::MULTIPLIER) & Self::MASK)
    }

    fn next_int(&mut self) -> i32 {
        self.0 = self.0.wrapping_mul(Self::MULTIPLIER).wrapping_add(0xb) & Self::MASK;
        (self.0 >> 16) as i32
    }

    fn next_long(&mut self) -> i64 {
        let high = i64::from(self.next_int()) << 32;
        high.wrapping_add(i64::from(self.next_int()))
    }
}

/// The generator WELL19937c of Panneton, L'Ecuyer and Matsumoto.
struct Well19937c {
    state: Vec<u32>,
    index: usize,
}

impl Well19937c {
    const WORDS: usize = 624;

    fn new(seed: i64) -> Self {
        let mut state = vec![0; Self::WORDS];
        state[0] = (seed as u64 >> 32) as u32;
        state[1] = seed as u32;
        for i in 2..Self::WORDS {
            let last = i64::from(state[i - 2] as i32);
            state[i] = 1_812_433_253i64.wrapping_mul(last ^ (last >> 30)).wrapping_add(i as i64) as u32;
        }
        Well19937c { state, index: 0 }
    }

    fn next(&mut self, bits: u32) -> u32 {
        let at = |offset: usize| (self.index + offset) % Self::WORDS;
        let (before, second_before) = (at(Self::WORDS - 1), at(Self::WORDS - 2));
        let v = &mut self.state;
        let (v0, m1) = (v[self.index], v[(self.index + 70) % Self::WORDS]);
        let (m2, m3) = (v[(self.index + 179) % Self::WORDS], v[(self.index + 449) % Self::WORDS]);
        let z0 = (0x8000_0000 & v[before]) ^ (0x7fff_ffff & v[second_before]);
        let z1 = (v0 ^ (v0 << 25)) ^ (m1 ^ (m1 >> 27));
        let z2 = (m2 >> 9) ^ (m3 ^ (m3 >> 1));
        let z3 = z1 ^ z2;
        let mut z4 = z0 ^ (z1 ^ (z1 << 9)) ^ (z2 ^ (z2 << 21)) ^ (z3 ^ (z3 >> 21));
        v[self.index] = z3;
        v[before] = z4;
        v[second_before] &= 0x8000_0000;
        self.index = before;
        z4 ^= (z4 << 7) & 0xe46e_1700;
        z4 ^= (z4 << 15) & 0x9b86_8000;
        z4 >> (32 - bits)
    }

    fn next_double(&mut self) -> f64 {
        let high = u64::from(self.next(26)) << 26;
        (high | u64::from(self.next(26))) as f64 / (1u64 << 52) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(mean: f64, seed: i64, start: u32, end: u32, partition: u32) -> Vec<u32> {
        let mut variates = Poisson::new(mean, seed, partition);
        (start..end).flat_map(|row| std::iter::repeat_n(row, variates.next() as usize)).collect()
    }

    /// What Spark 4.3 gives for `spark.range(0, 20, 1, 2).sample(True, 1.0, 42)`, and for 10 rows, 2.5 and 7.
    #[test]
    fn draws_as_spark() {
        let drawn = [rows(1.0, 42, 0, 10, 0), rows(1.0, 42, 10, 20, 1)].concat();
        assert_eq!(drawn, [3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15, 16, 16, 18, 18]);
        let drawn = [rows(2.5, 7, 0, 5, 0), rows(2.5, 7, 5, 10, 1)].concat();
        let spark = [0, 0, 1, 1, 2, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 7, 7, 7, 7, 8, 9, 9];
        assert_eq!(drawn, spark);
    }

    #[test]
    fn large_means_have_their_mean() {
        let mut variates = Poisson::new(250.0, 1, 0);
        let sum: u32 = (0..1000).map(|_| variates.next()).sum();
        assert!((245_000..255_000).contains(&sum), "{sum}");
    }
}

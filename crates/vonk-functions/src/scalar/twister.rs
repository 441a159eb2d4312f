//! The Mersenne twister MT19937 with the seeding and the draws of Apache Commons Math, which Spark's `shuffle` and `uuid` use.

const N: usize = 624;
const M: usize = 397;

pub(super) struct Twister {
    state: Box<[u32; N]>,
    next: usize,
}

impl Twister {
    pub fn seeded(seed: i64) -> Twister {
        let key = [(seed as u64 >> 32) as u32, seed as u32];
        let mut state = Box::new([0u32; N]);
        state[0] = 19_650_218;
        for i in 1..N {
            let before = state[i - 1];
            state[i] = (before ^ before >> 30).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        let mut i = 1;
        for n in 0..N {
            let (before, j) = (state[i - 1], n % 2);
            let mixed = (before ^ before >> 30).wrapping_mul(1_664_525);
            state[i] = (state[i] ^ mixed).wrapping_add(key[j]).wrapping_add(j as u32);
            i = Self::after(&mut state, i);
        }
        for _ in 1..N {
            let before = state[i - 1];
            let mixed = (before ^ before >> 30).wrapping_mul(1_566_083_941);
            state[i] = (state[i] ^ mixed).wrapping_sub(i as u32);
            i = Self::after(&mut state, i);
        }
        state[0] = 1 << 31;
        Twister { state, next: N }
    }

    /// The word after `i` in the rounds of seeding.
    fn after(state: &mut [u32; N], i: usize) -> usize {
        if i + 1 == N {
            state[0] = state[N - 1];
            return 1;
        }
        i + 1
    }

    /// The next 32 bits.
    fn word(&mut self) -> u32 {
        if self.next == N {
            for k in 0..N {
                let y = self.state[k] & 0x8000_0000 | self.state[(k + 1) % N] & 0x7fff_ffff;
                let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[k] = self.state[(k + M) % N] ^ y >> 1 ^ twist;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// The next 64 bits.
    pub fn long(&mut self) -> u64 {
        u64::from(self.word()) << 32 | u64::from(self.word())
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: u32) -> u32 {
        let mut bits = || self.word() >> 1;
        if n.is_power_of_two() {
            return ((u64::from(n) * u64::from(bits())) >> 31) as u32;
        }
        loop {
            let bits = bits();
            let value = bits % n;
            if bits - value + (n - 1) <= i32::MAX as u32 {
                return value;
            }
        }
    }
}

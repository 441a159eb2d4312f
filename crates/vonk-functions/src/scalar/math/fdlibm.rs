//! Elementary functions as Java's `StrictMath` computes them, to the last bit: by the algorithms of Sun's fdlibm.
//!
//! Where the `libm` crate follows the same algorithms it is used as it is.

/// The upper 32 bits.
fn high(x: f64) -> i32 {
    (x.to_bits() >> 32) as i32
}

/// With other upper 32 bits.
fn with_high(x: f64, high: i32) -> f64 {
    f64::from_bits(x.to_bits() & 0xFFFF_FFFF | u64::from(high as u32) << 32)
}

/// Without the lower 32 bits.
fn truncated(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !0xFFFF_FFFF)
}

/// e^x.
pub(super) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e^x - 1.
pub(super) fn expm1(x: f64) -> f64 {
    libm::expm1(x)
}

/// Natural logarithm.
pub(super) fn log(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x).
pub(super) fn log1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// Power; unlike C's, Java's is NaN for 1^NaN and (±1)^±Infinity.
pub(super) fn pow(x: f64, y: f64) -> f64 {
    if y == 0.0 {
        return 1.0;
    }
    if y.is_nan() || x.abs() == 1.0 && y.is_infinite() {
        return f64::NAN;
    }
    libm::pow(x, y)
}

/// Logarithm to base 10.
pub(super) fn log10(mut x: f64) -> f64 {
    const IVLN10: f64 = 4.342_944_819_032_518e-1;
    const LOG10_2HI: f64 = 3.010_299_956_636_117_7e-1;
    const LOG10_2LO: f64 = 3.694_239_077_158_930_8e-13;
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if !x.is_finite() {
        return x + x;
    }
    let mut k = 0;
    if x < f64::MIN_POSITIVE {
        k = -54;
        x *= (1u64 << 54) as f64;
    }
    let hx = high(x);
    k += (hx >> 20) - 1023;
    let i = i32::from(k < 0);
    let y = f64::from(k + i);
    let x = with_high(x, hx & 0x000f_ffff | (0x3ff - i) << 20);
    let z = y * LOG10_2LO + IVLN10 * log(x);
    z + y * LOG10_2HI
}

/// Cube root.
pub(super) fn cbrt(x: f64) -> f64 {
    const B1: i32 = 715_094_163;
    const B2: i32 = 696_219_795;
    const C: f64 = 19.0 / 35.0;
    const D: f64 = -864.0 / 1225.0;
    const E: f64 = 99.0 / 70.0;
    const F: f64 = 45.0 / 28.0;
    const G: f64 = 5.0 / 14.0;
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let (negative, x) = (x < 0.0, x.abs());
    // To 5 bits, then to 23, then one step of Newton's to 53.
    let mut t = if x < f64::MIN_POSITIVE {
        let scaled = (1u64 << 54) as f64 * x;
        with_high(0.0, high(scaled) / 3 + B2)
    } else {
        with_high(0.0, high(x) / 3 + B1)
    };
    let r = t * t / x;
    let s = C + r * t;
    t *= G + F / (s + E + D / s);
    t = with_high(0.0, high(t) + 1);
    let s = t * t;
    let r = x / s;
    let w = t + t;
    let r = (r - t) / (w + r);
    t += t * r;
    if negative { -t } else { t }
}

/// Beyond this, e^x is infinite.
const LOG_MAX: f64 = 709.782_712_893_384;
/// Beyond this, e^x / 2 is.
const HALF_EXP_MAX: f64 = 710.475_860_073_943_9;

/// Hyperbolic sine.
pub(super) fn sinh(x: f64) -> f64 {
    if !x.is_finite() {
        return x + x;
    }
    let (h, a) = (if x < 0.0 { -0.5 } else { 0.5 }, x.abs());
    if a < 22.0 {
        if a < 2f64.powi(-28) {
            return x;
        }
        let t = expm1(a);
        return if a < 1.0 { h * (2.0 * t - t * t / (t + 1.0)) } else { h * (t + t / (t + 1.0)) };
    }
    if a < LOG_MAX {
        return h * exp(a);
    }
    if a <= HALF_EXP_MAX {
        let w = exp(0.5 * a);
        return h * w * w;
    }
    x * f64::MAX
}

/// Hyperbolic cosine.
pub(super) fn cosh(x: f64) -> f64 {
    if !x.is_finite() {
        return x * x;
    }
    let a = x.abs();
    if high(a) < 0x3fd6_2e43 {
        let t = expm1(a);
        let w = 1.0 + t;
        return if high(a) < 0x3c80_0000 { w } else { 1.0 + t * t / (w + w) };
    }
    if a < 22.0 {
        let t = exp(a);
        return 0.5 * t + 0.5 / t;
    }
    if a < LOG_MAX {
        return 0.5 * exp(a);
    }
    if a <= HALF_EXP_MAX {
        let w = exp(0.5 * a);
        return 0.5 * w * w;
    }
    f64::INFINITY
}

/// Hyperbolic tangent.
pub(super) fn tanh(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let a = x.abs();
    let z = if a < 22.0 {
        if a < 2f64.powi(-55) {
            return x * (1.0 + x);
        }
        if a >= 1.0 {
            let t = expm1(2.0 * a);
            1.0 - 2.0 / (t + 2.0)
        } else {
            let t = expm1(-2.0 * a);
            -t / (t + 2.0)
        }
    } else {
        1.0
    };
    if x < 0.0 { -z } else { z }
}

/// √(x² + y²).
pub(super) fn hypot(x: f64, y: f64) -> f64 {
    let (mut a, mut b) = (x.abs(), y.abs());
    if a.is_infinite() || b.is_infinite() {
        return f64::INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if b > a {
        std::mem::swap(&mut a, &mut b);
    }
    if high(a) - high(b) > 0x3c0_0000 {
        return a + b;
    }
    let mut k = 0;
    if a > f64::from_bits(0x5f30_0000_ffff_ffff) {
        // Beyond 2^500.
        a *= 2f64.powi(-600);
        b *= 2f64.powi(-600);
        k += 600;
    }
    if b < 2f64.powi(-500) {
        if b < f64::MIN_POSITIVE {
            if b == 0.0 {
                return a;
            }
            let up = 2f64.powi(1022);
            (a, b, k) = (a * up, b * up, k - 1022);
        } else {
            let up = 2f64.powi(600);
            (a, b, k) = (a * up, b * up, k - 600);
        }
    }
    let w = a - b;
    let w = if w > b {
        let t1 = truncated(a);
        let t2 = a - t1;
        (t1 * t1 - (b * -b - t2 * (a + t1))).sqrt()
    } else {
        let a = a + a;
        let y1 = truncated(b);
        let y2 = b - y1;
        let t1 = truncated(a);
        let t2 = a - t1;
        (t1 * y1 - (w * -w - (t1 * y2 + t2 * b))).sqrt()
    };
    if k == 0 { w } else { 2f64.powi(k) * w }
}

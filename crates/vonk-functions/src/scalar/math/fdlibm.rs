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

const LN2_HI: f64 = 6.931_471_803_691_238e-1;
const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
/// Coefficients of the logarithms.
const LG: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

/// Natural logarithm.
pub(super) fn log(mut x: f64) -> f64 {
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
    let mut hx = high(x);
    k += (hx >> 20) - 1023;
    hx &= 0x000f_ffff;
    // To between √½ and √2.
    let i = (hx + 0x95f64) & 0x0010_0000;
    let x = with_high(x, hx | (i ^ 0x3ff0_0000));
    k += i >> 20;
    let (f, dk) = (x - 1.0, f64::from(k));
    if 0x000f_ffff & (2 + hx) < 3 {
        // Within 2^-20 of 1.
        if f == 0.0 {
            return if k == 0 { 0.0 } else { dk * LN2_HI + dk * LN2_LO };
        }
        let r = f * f * (0.5 - 0.333_333_333_333_333_3 * f);
        return if k == 0 { f - r } else { dk * LN2_HI - ((r - dk * LN2_LO) - f) };
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let t1 = w * (LG[1] + w * (LG[3] + w * LG[5]));
    let t2 = z * (LG[0] + w * (LG[2] + w * (LG[4] + w * LG[6])));
    let r = t2 + t1;
    if (hx - 0x6147a) | (0x6b851 - hx) > 0 {
        let half = 0.5 * f * f;
        return if k == 0 {
            f - (half - s * (half + r))
        } else {
            dk * LN2_HI - ((half - (s * (half + r) + dk * LN2_LO)) - f)
        };
    }
    if k == 0 { f - s * (f - r) } else { dk * LN2_HI - ((s * (f - r) - dk * LN2_LO) - f) }
}

/// ln(1 + x).
pub(super) fn log1p(x: f64) -> f64 {
    let hx = high(x);
    let ax = hx & 0x7fff_ffff;
    let (mut k, mut f, mut hu, mut c) = (1, 0.0, 1, 0.0);
    if hx < 0x3fda_827a {
        if ax >= 0x3ff0_0000 {
            return if x == -1.0 { f64::NEG_INFINITY } else { f64::NAN };
        }
        if ax < 0x3e20_0000 {
            // Within 2^-29, and within 2^-54.
            return if ax < 0x3c90_0000 { x } else { x - x * x * 0.5 };
        }
        if hx > 0 || hx <= 0xbfd2_bec3_u32 as i32 {
            (k, f) = (0, x);
        }
    }
    if hx >= 0x7ff0_0000 {
        return x + x;
    }
    if k != 0 {
        let mut u = if hx < 0x4340_0000 { 1.0 + x } else { x };
        hu = high(u);
        k = (hu >> 20) - 1023;
        if hx < 0x4340_0000 {
            c = if k > 0 { 1.0 - (u - x) } else { x - (u - 1.0) } / u;
        }
        hu &= 0x000f_ffff;
        if hu < 0x6a09e {
            u = with_high(u, hu | 0x3ff0_0000);
        } else {
            k += 1;
            u = with_high(u, hu | 0x3fe0_0000);
            hu = (0x0010_0000 - hu) >> 2;
        }
        f = u - 1.0;
    }
    let (half, dk) = (0.5 * f * f, f64::from(k));
    if hu == 0 {
        if f == 0.0 {
            return if k == 0 { 0.0 } else { dk * LN2_HI + (c + dk * LN2_LO) };
        }
        let r = half * (1.0 - 0.666_666_666_666_666_6 * f);
        return if k == 0 { f - r } else { dk * LN2_HI - ((r - (dk * LN2_LO + c)) - f) };
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * (LG[0] + z * (LG[1] + z * (LG[2] + z * (LG[3] + z * (LG[4] + z * (LG[5] + z * LG[6]))))));
    if k == 0 {
        f - (half - s * (half + r))
    } else {
        dk * LN2_HI - ((half - (s * (half + r) + (dk * LN2_LO + c))) - f)
    }
}

/// The angle of a point.
pub(super) fn atan2(y: f64, x: f64) -> f64 {
    const PI_LO: f64 = 1.224_646_799_147_353_2e-16;
    let steep = ((high(y) & 0x7fff_ffff) - (high(x) & 0x7fff_ffff)) >> 20 > 60;
    if steep && x < 0.0 && x.is_finite() && y.is_finite() {
        // Where later versions differ.
        let z = std::f64::consts::FRAC_PI_2 + 0.5 * PI_LO;
        let angle = std::f64::consts::PI - (z - PI_LO);
        return if y > 0.0 { angle } else { -angle };
    }
    libm::atan2(y, x)
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
    const IVLN10: f64 = std::f64::consts::LOG10_E;
    const LOG10_2HI: f64 = 3.010_299_956_636_117_7e-1;
    const LOG10_2LO: f64 = 3.694_239_077_158_931e-13;
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

/// Where a square leaves 1 behind in the last bit.
const LARGE: f64 = (1u64 << 28) as f64;

/// Inverse hyperbolic sine.
pub(super) fn asinh(x: f64) -> f64 {
    let a = x.abs();
    if !x.is_finite() || a < 1.0 / LARGE {
        return x;
    }
    let w = if a > LARGE {
        log(a) + std::f64::consts::LN_2
    } else if a > 2.0 {
        log(2.0 * a + 1.0 / ((x * x + 1.0).sqrt() + a))
    } else {
        let t = x * x;
        log1p(a + t / (1.0 + (1.0 + t).sqrt()))
    };
    if x > 0.0 { w } else { -w }
}

/// Inverse hyperbolic cosine.
pub(super) fn acosh(x: f64) -> f64 {
    if x < 1.0 || x.is_nan() {
        return f64::NAN;
    }
    if x >= LARGE {
        return log(x) + std::f64::consts::LN_2;
    }
    if x > 2.0 {
        return log(2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt()));
    }
    let t = x - 1.0;
    log1p(t + (2.0 * t + t * t).sqrt())
}

/// Inverse hyperbolic tangent.
pub(super) fn atanh(x: f64) -> f64 {
    0.5 * (log1p(x) - log1p(-x))
}

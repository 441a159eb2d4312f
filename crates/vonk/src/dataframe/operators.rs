//! Operators of Rust over columns.

use super::{Column, IntoOperand, lit};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Rem, Sub};
use vonk_plan::unresolved::{BinaryOp, ExprKind};

macro_rules! operators {
    ($($operator:ident $method:ident $op:ident;)*) => {$(
        impl<T: IntoOperand> $operator<T> for Column {
            type Output = Column;

            #[track_caller]
            fn $method(self, other: T) -> Column {
                self.binary(stringify!($method), BinaryOp::$op, other)
            }
        }
    )*};
}

operators! {
    Add add Plus;
    Sub sub Minus;
    Mul mul Multiply;
    Div div Divide;
    Rem rem Modulo;
    BitAnd bitand And;
    BitOr bitor Or;
}

macro_rules! numbers_on_the_left {
    ($($operator:ident $method:ident: $($number:ty)*;)*) => {$($(
        impl $operator<Column> for $number {
            type Output = Column;

            #[track_caller]
            fn $method(self, other: Column) -> Column {
                $operator::$method(lit(self), other)
            }
        }
    )*)*};
}

numbers_on_the_left! {
    Add add: i32 i64 f64;
    Sub sub: i32 i64 f64;
    Mul mul: i32 i64 f64;
    Div div: i32 i64 f64;
    Rem rem: i32 i64 f64;
}

impl Neg for Column {
    type Output = Column;

    #[track_caller]
    fn neg(self) -> Column {
        self.function("neg", "negative", [])
    }
}

impl Not for Column {
    type Output = Column;

    #[track_caller]
    fn not(self) -> Column {
        self.wrap("not", ExprKind::Not)
    }
}

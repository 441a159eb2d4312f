//! Arithmetic, bits, comparison: binary operators by precedence.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::Result;
use vonk_plan::unresolved::{BinaryOp, Expr, ExprKind, UnaryOp};

/// Binding powers, weakest first.
const COMPARISON: u8 = 1;
const BIT_OR: u8 = 2;
const BIT_XOR: u8 = 3;
const BIT_AND: u8 = 4;
const SHIFT: u8 = 5;
const SUM: u8 = 6;
const PRODUCT: u8 = 7;

impl Parser<'_> {
    /// A value: everything below predicates.
    pub(super) fn value(&mut self) -> Result<Expr> {
        self.binary(COMPARISON)
    }

    /// Operators of at least this power, left-associative, in a loop.
    fn binary(&mut self, power: u8) -> Result<Expr> {
        let start = self.start();
        let mut left = self.unary()?;
        let mut links = 0;
        while let Some((op, op_power, tokens)) = self.binary_operator() {
            if op_power < power {
                break;
            }
            self.pos += tokens;
            let right = self.binary(op_power + 1)?;
            let span = self.span_from(start);
            left = Expr::new(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, span);
            links += 1;
            self.check_chain(links)?;
        }
        Ok(left)
    }

    /// The operator at the current token, its power, and how many tokens it takes.
    fn binary_operator(&self) -> Option<(BinaryOp, u8, usize)> {
        let t = self.token();
        Some(match t.kind {
            Kind::Eq => (BinaryOp::Eq, COMPARISON, 1),
            Kind::NullSafeEq => (BinaryOp::NullSafeEq, COMPARISON, 1),
            Kind::NotEq => (BinaryOp::NotEq, COMPARISON, 1),
            Kind::Lt => (BinaryOp::Lt, COMPARISON, 1),
            Kind::LtEq => (BinaryOp::LtEq, COMPARISON, 1),
            Kind::GtEq => (BinaryOp::GtEq, COMPARISON, 1),
            Kind::Gt => match (self.glued_gt(1), self.glued_gt(2)) {
                (true, true) => (BinaryOp::ShiftRightUnsigned, SHIFT, 3),
                (true, false) => (BinaryOp::ShiftRight, SHIFT, 2),
                _ => (BinaryOp::Gt, COMPARISON, 1),
            },
            Kind::Pipe => (BinaryOp::BitOr, BIT_OR, 1),
            Kind::Caret => (BinaryOp::BitXor, BIT_XOR, 1),
            Kind::Ampersand => (BinaryOp::BitAnd, BIT_AND, 1),
            Kind::ShiftLeft => (BinaryOp::ShiftLeft, SHIFT, 1),
            Kind::Plus => (BinaryOp::Plus, SUM, 1),
            Kind::Minus => (BinaryOp::Minus, SUM, 1),
            Kind::Concat => (BinaryOp::Concat, SUM, 1),
            Kind::Star => (BinaryOp::Multiply, PRODUCT, 1),
            Kind::Slash => (BinaryOp::Divide, PRODUCT, 1),
            Kind::Percent => (BinaryOp::Modulo, PRODUCT, 1),
            Kind::Word if t.kw == Kw::Div && self.begins_expression(1) => (BinaryOp::IntDivide, PRODUCT, 1),
            _ => return None,
        })
    }

    /// Whether the `n`th token from here is a `>` right behind the one before it.
    fn glued_gt(&self, n: usize) -> bool {
        let (before, t) = (self.ahead(n - 1), self.ahead(n));
        t.kind == Kind::Gt && before.end == t.start
    }

    fn unary(&mut self) -> Result<Expr> {
        let op = match self.kind() {
            Kind::Minus if self.is_number(1) => return self.postfix(),
            Kind::Minus => UnaryOp::Minus,
            Kind::Plus => UnaryOp::Plus,
            Kind::Tilde => UnaryOp::BitNot,
            _ => return self.postfix(),
        };
        let start = self.start();
        self.pos += 1;
        let expr = Box::new(self.nested(Self::unary)?);
        Ok(Expr::new(ExprKind::Unary { op, expr }, self.span_from(start)))
    }

    /// Whether the token `n` further on is a number.
    pub(super) fn is_number(&self, n: usize) -> bool {
        self.ahead(n).kind.is_number()
    }
}

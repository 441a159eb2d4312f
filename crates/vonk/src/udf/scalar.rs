//! Closures over values as functions over arrays.

use super::values::{UdfArgument, UdfArguments, UdfResult, UdfValue};
use super::{Declared, failed};
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::KernelCall;

/// A closure that can be a scalar function: of up to six arguments, or none.
pub trait ScalarUdf<A>: Send + Sync + 'static {
    /// What it takes.
    type Arguments: UdfArguments;
    /// What it gives.
    type Result: UdfResult;
    /// Calls it.
    fn call(&self, arguments: Self::Arguments) -> Self::Result;
}

macro_rules! closures {
    ($(($($t:ident $i:tt)+))+) => {$(
        impl<Func, R, $($t),+> ScalarUdf<($($t,)+ R)> for Func
        where
            Func: Fn($($t),+) -> R + Send + Sync + 'static,
            R: UdfResult,
            $($t: UdfArgument + 'static),+
        {
            type Arguments = ($($t,)+);
            type Result = R;

            fn call(&self, arguments: ($($t,)+)) -> R {
                self($(arguments.$i),+)
            }
        }
    )+};
}

closures! {
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
}

impl<Func, R, A> ScalarUdf<(A, R)> for Func
where
    Func: Fn(A) -> R + Send + Sync + 'static,
    R: UdfResult,
    A: UdfArgument + 'static,
{
    type Arguments = A;
    type Result = R;

    fn call(&self, argument: A) -> R {
        self(argument)
    }
}

/// The function of a closure.
pub(super) fn declared<F, A>(function: F) -> Declared
where
    F: ScalarUdf<A>,
{
    let kernel = move |call: &KernelCall<'_>| {
        let args = call.args.iter().map(|a| a.to_array(call.rows)).collect::<Result<Vec<_>>>()?;
        let columns = F::Arguments::columns(&args)?;
        let mut out = Vec::with_capacity(call.rows);
        for row in 0..call.rows {
            out.push(match F::Arguments::row(&columns, row) {
                Some(arguments) => function
                    .call(arguments)
                    .result()
                    .map_err(|reason| failed(std::any::type_name::<F>(), reason))?,
                None => None,
            });
        }
        Ok(<F::Result as UdfResult>::Value::array(out))
    };
    Declared {
        arguments: F::Arguments::types(),
        result: <F::Result as UdfResult>::Value::TYPE,
        // A null argument makes it null, whatever the closure says.
        nullable: true,
        kernel: Arc::new(kernel),
    }
}

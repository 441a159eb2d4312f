//! Joins of sorted inputs against the model of all joins.

use crate::hash_join::tests::{cases, null_aware};
use crate::testing::run_with;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn merge_join_is_the_model(case in cases(), batch_rows in prop::sample::select(vec![3usize, 1024]),
                               limit in prop::sample::select(vec![None, None, Some(1u64), Some(3000)])) {
        if !null_aware(&case) {
            case.check(run_with(case.merge_join(), limit, batch_rows, 0));
        }
    }
}

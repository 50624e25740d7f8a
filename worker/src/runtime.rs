//! The runtime of both programs.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// How much stack a thread may use, in bytes. A GraphQL resolver is a future in a future in a future, and without
/// optimisation each takes its own room; memory is only taken as it is used.
const STACK: usize = 8 * 1024 * 1024;

/// A runtime with a thread for each core.
pub fn new() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
}

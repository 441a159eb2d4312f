//! One task on an executor: runs it, and sends its rows ahead of its end if they are many.

use crate::backend::output_attempt;
use crate::remote::executor::Client;
use crate::remote::frames;
use crate::remote::protocol::{Frame, Order, Outcome, ResultFrame};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use vonk_error::{Error, Result};
use vonk_exec::{CancelFlag, ExecutorEnv, QueryContext, TaskSpec, run_task};
use vonk_physical::{PhysicalPlan, PlanNode};
use vonk_scheduler::TaskId;
use vonk_shuffle::ShuffleInputs;

/// Rows of a task up to so many bytes travel with the news of its end; more go ahead in a call of their own, whose flow control makes the
/// task wait for a driver that cannot take them fast enough.
const INLINE_BYTES: usize = 512 << 10;
/// How often waiting looks at the cancel flag.
const LOOK: Duration = Duration::from_millis(100);
/// Frames on their way to the driver.
const FRAMES: usize = 4;

/// A stage attempt as an executor knows it.
pub(super) struct Stage {
    pub job: u64,
    pub generation: u32,
    pub fragment: Arc<PlanNode>,
    pub query: Arc<QueryContext>,
    pub inputs: Arc<ShuffleInputs>,
}

/// Runs a task to its end, on this thread.
pub(super) fn run(
    exec: &Arc<ExecutorEnv>,
    stage: &Stage,
    order: &Order,
    cancel: CancelFlag,
    client: &Client,
    runtime: &Handle,
    frame_bytes: usize,
) -> Result<Outcome> {
    let task = TaskSpec {
        fragment: stage.fragment.clone(),
        partition: order.partition,
        attempt: output_attempt(TaskId(order.task)),
        generation: stage.generation,
        inputs: stage.inputs.clone(),
        cancel: Some(cancel.clone()),
    };
    let inline_bytes = INLINE_BYTES.min(frame_bytes);
    let mut rows =
        Rows { task: order.task, held: vec![], bytes: 0, inline_bytes, call: None, client, runtime, cancel };
    let output = run_task(exec, &stage.query, &task, &mut |batch| {
        let mut frames = Vec::new();
        frames::encode_within(&batch, frame_bytes, &mut frames)?;
        frames.into_iter().try_for_each(|frame| rows.push(frame))
    })?;
    let nodes = output.metrics.counts();
    match (output.map_output, &stage.fragment.plan) {
        (Some(sizes), _) => Ok(Outcome::Map { sizes, nodes }),
        (None, PhysicalPlan::ShuffleWrite(_)) => Err(Error::internal("a map task without output")),
        (None, _) => Ok(Outcome::Rows { inline: rows.finish()?, nodes }),
    }
}

/// The rows of a result task.
struct Rows<'a> {
    task: u64,
    held: Vec<Frame>,
    bytes: usize,
    /// See [`INLINE_BYTES`].
    inline_bytes: usize,
    /// The call that takes them, once they are many.
    call: Option<Call>,
    client: &'a Client,
    runtime: &'a Handle,
    cancel: CancelFlag,
}

struct Call {
    frames: mpsc::Sender<ResultFrame>,
    answer: JoinHandle<std::result::Result<(), tonic::Status>>,
}

impl Rows<'_> {
    fn push(&mut self, frame: Frame) -> Result<()> {
        self.bytes += frame.0.len();
        self.held.push(frame);
        if self.bytes > self.inline_bytes {
            self.send_held()?;
        }
        Ok(())
    }

    fn send_held(&mut self) -> Result<()> {
        if self.call.is_none() {
            let (frames, outgoing) = mpsc::channel(FRAMES);
            let mut client = self.client.clone();
            let answer = self
                .runtime
                .spawn(async move { client.results(ReceiverStream::new(outgoing)).await.map(|_| ()) });
            self.call = Some(Call { frames, answer });
        }
        for frame in std::mem::take(&mut self.held) {
            self.cancel.check()?;
            if !self.send(ResultFrame { task: self.task, frame })? {
                // The call has ended: its answer says why.
                return self
                    .answer()
                    .and_then(|()| Err(Error::io("the driver takes no rows", "the call ended early")));
            }
        }
        Ok(())
    }

    /// Waits for a place on the way to the driver, as long as the task is wanted; `false` if the call has ended.
    fn send(&self, frame: ResultFrame) -> Result<bool> {
        let Some(call) = &self.call else { return Ok(false) };
        loop {
            let place = async { tokio::time::timeout(LOOK, call.frames.reserve()).await };
            match self.runtime.block_on(place) {
                Ok(Ok(place)) => {
                    place.send(frame);
                    return Ok(true);
                }
                Ok(Err(_)) => return Ok(false),
                Err(_) => self.cancel.check()?,
            }
        }
    }

    /// Waits until the driver has all rows, or the task is not wanted any more.
    fn answer(&mut self) -> Result<()> {
        let Some(Call { frames, mut answer }) = self.call.take() else { return Ok(()) };
        drop(frames);
        loop {
            match self.runtime.block_on(async { tokio::time::timeout(LOOK, &mut answer).await }) {
                Ok(answer) => {
                    let answer = answer.map_err(|e| Error::internal(e.to_string()))?;
                    return answer
                        .map_err(|status| vonk_rpc::from_status("the driver took no rows", &status));
                }
                Err(_) => self.cancel.check().inspect_err(|_| answer.abort())?,
            }
        }
    }

    /// The rows that travel with the news; `None` if they were sent ahead.
    fn finish(mut self) -> Result<Option<Vec<Frame>>> {
        if self.call.is_none() {
            return Ok(Some(std::mem::take(&mut self.held)));
        }
        self.send_held()?;
        self.answer().map(|()| None)
    }
}

//! An operation is one value with three steps: parse, ask, run.

use bailiwick_wire::schema;
use bailiwick_wire::{Api, Shape, Value};

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;

/// The answer of an operation.
pub(crate) type Response<O> = <<O as Operation>::Api as Api>::Response;

/// The request of an operation.
pub(crate) type Request<O> = <<O as Operation>::Api as Api>::Request;

/// One operation of an API. Only the pipeline makes a [`Permitted`], after every ask was allowed,
/// so code that writes before asking does not compile.
pub(crate) trait Operation: Sized + Send + 'static {
    /// The generated description: name, request, response, errors.
    type Api: Api;

    /// Whether it changes the account. Operations that do see and change the newest state, one at a
    /// time; all others read the newest durable one.
    const CHANGES: bool = !is_reading(<Self::Api as Api>::OPERATION.name);

    /// Whether it is too heavy for a request thread: [`Operation::prepare`] of a change, or the run
    /// of one that reads.
    const HEAVY: bool = false;

    /// Whether this one call of it changes the account, where only some do: credentials for a
    /// one-time code use the code up.
    fn changes(&self) -> bool {
        Self::CHANGES
    }

    /// Builds the operation from a validated request.
    fn parse(request: Request<Self>) -> Result<Self, Fault>;

    /// What must be allowed before it may run.
    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault>;

    /// Work of a heavy change ahead of its transaction, such as hashing a password. Runs after a
    /// first Allow, and the asks are put again when the transaction begins.
    fn prepare(&mut self, _call: &Call<'_>) -> Result<(), Fault> {
        Ok(())
    }

    /// Reads or changes.
    fn run(&self, call: &mut Permitted<'_>) -> Result<Response<Self>, Fault>;
}

/// Operations whose name begins so change nothing. Source: the access levels Read and List of the
/// service authorization reference; STS issues credentials without writing.
pub(crate) const fn is_reading(name: &str) -> bool {
    starts(name, "Get")
        || starts(name, "List")
        || starts(name, "Simulate")
        || starts(name, "Assume")
        || starts(name, "Decode")
        || starts(name, "Explain")
        || starts(name, "Describe")
        || starts(name, "Check")
        || starts(name, "Validate")
}

const fn starts(name: &str, head: &str) -> bool {
    let (name, head) = (name.as_bytes(), head.as_bytes());
    if name.len() < head.len() {
        return false;
    }
    let (mut rest, mut wanted) = (name, head);
    while let ([found, tail @ ..], [expected, more @ ..]) = (rest, wanted) {
        if *found != *expected {
            return false;
        }
        (rest, wanted) = (tail, more);
    }
    true
}

/// An operation with its types forgotten, as the pipeline runs it.
pub(crate) trait Running: Send {
    fn changes(&self) -> bool;
    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault>;
    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault>;
    fn run(&self, call: &mut Permitted<'_>) -> Result<Value, Fault>;
}

struct Typed<O>(O);

impl<O: Operation> Running for Typed<O> {
    fn changes(&self) -> bool {
        self.0.changes()
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        self.0.asks(call)
    }

    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        self.0.prepare(call)
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Value, Fault> {
        self.0.run(call).map(Shape::into_value)
    }
}

/// An operation in the table of its service.
pub(crate) struct Entry {
    /// Its description.
    pub(crate) schema: &'static schema::Operation,
    /// See [`Operation::CHANGES`].
    pub(crate) changes: bool,
    /// See [`Operation::HEAVY`].
    pub(crate) heavy: bool,
    parse: fn(Value) -> Result<Box<dyn Running>, Fault>,
}

impl Entry {
    /// Builds the operation from a validated request.
    pub(crate) fn parse(&self, request: Value) -> Result<Box<dyn Running>, Fault> {
        (self.parse)(request)
    }
}

/// The entry of an operation.
pub(crate) const fn entry<O: Operation>() -> Entry {
    Entry {
        schema: <O::Api as Api>::OPERATION,
        changes: O::CHANGES,
        heavy: O::HEAVY,
        parse: |request| {
            // Validation has run: what does not fit now is a gap between the two.
            let request = Request::<O>::from_value(request)
                .map_err(|unfit| Fault::validation(unfit.to_string()))?;
            Ok(Box::new(Typed(O::parse(request)?)))
        },
    }
}

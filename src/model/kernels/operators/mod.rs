//! The operators as ONNX Runtime sees them: names, inputs, outputs.
//!
//! A "rounded matrix" is two tensors: bytes `[rows, columns]` and, for each row, scale and zero `[rows, 2]`. A
//! "product" is whole numbers `[rows, columns]` and the rounding of the rows that were multiplied. "Columns" are what
//! turns a product back into floats: scales, sums and biases, each `[columns]`. Inputs that change from run to run come
//! first; the others are read once.

mod add_normalize;
mod attend;
mod embed;
mod gelu;
mod mean;
mod texts;

use std::marker::PhantomData;

use ort::operator::{
    Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType;

use super::ByteProducts;

/// Domain of the operators.
pub const DOMAIN: &str = "runpod.query";

/// Names of the operators.
pub mod name {
    /// Token ids to normalised rows: `ids, lengths; words, word scales, positions, scale, shift`; attributes `epsilon`
    /// and `padding_id` (-1: positions count from 0). Gives floats and a rounded matrix.
    pub const EMBED: &str = "EmbedTokens";
    /// Attention: `product (2), lengths; columns (3)`; attributes `heads` and `first_only` (1: only the first token of
    /// each text asks). Gives a rounded matrix.
    pub const ATTEND: &str = "AttendWithinTexts";
    /// Bias, residual and normalisation: `product (2), residual; columns (3), scale, shift`; attribute `epsilon`. Gives
    /// floats and a rounded matrix.
    pub const ADD_NORMALIZE: &str = "AddNormalize";
    /// Bias and GELU: `product (2); columns (3)`. Gives a rounded matrix.
    pub const GELU: &str = "BiasGeluRound";
    /// Mean of the rows of each text: `floats, lengths`.
    pub const MEAN: &str = "MeanOfTexts";
}

/// The operators, for a session that runs an int8 graph.
pub fn domain() -> ort::Result<OperatorDomain> {
    let levels = ByteProducts::detect().levels;
    OperatorDomain::new(DOMAIN)?
        .add(Adapter::<embed::Embed>::new(levels))?
        .add(Adapter::<attend::Attend>::new(levels))?
        .add(Adapter::<add_normalize::AddNormalize>::new(levels))?
        .add(Adapter::<gelu::Gelu>::new(levels))?
        .add(Adapter::<mean::Mean>::new(levels))
}

/// One operator: its signature, and how a node of it is made.
trait Definition: Kernel + Sized + 'static {
    const NAME: &str;
    const INPUTS: &[TensorElementType];
    const OUTPUTS: &[TensorElementType];

    /// Makes a node that rounds activations to `levels` steps.
    fn new(kernel: &KernelContext<'_>, levels: u8) -> ort::Result<Self>;
}

/// A [`Definition`] as ONNX Runtime's binding wants it.
struct Adapter<D> {
    levels: u8,
    definition: PhantomData<fn() -> D>,
}

impl<D> Adapter<D> {
    fn new(levels: u8) -> Self {
        Self {
            levels,
            definition: PhantomData,
        }
    }
}

impl<D: Definition> Operator for Adapter<D> {
    type Kernel<'attr> = D;

    fn name(&self) -> &str {
        D::NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        D::INPUTS
            .iter()
            .map(|&element| OperatorInput::required(element))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        D::OUTPUTS
            .iter()
            .map(|&element| OperatorOutput::required(element))
    }

    fn create_kernel<'attr>(&self, kernel: &KernelContext<'attr>) -> ort::Result<D> {
        D::new(kernel, self.levels)
    }
}

/// A whole number that the graph says of a node.
fn integer(kernel: &KernelContext<'_>, name: &str) -> ort::Result<i64> {
    kernel
        .get(name)
        .ok_or_else(|| ort::Error::new(format!("attribute {name} is missing")))
}

/// A float that the graph says of a node.
fn float(kernel: &KernelContext<'_>, name: &str) -> ort::Result<f32> {
    kernel
        .get(name)
        .ok_or_else(|| ort::Error::new(format!("attribute {name} is missing")))
}

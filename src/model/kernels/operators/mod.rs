//! The operators as ONNX Runtime sees them: names, inputs, outputs.
//!
//! "Rounded rows" are two tensors: bytes `[rows, columns]` and the rounding of each row, `[rows, 6]`. A "product" is
//! floats `[panels, rows, 32]`, panel by panel of columns. Inputs that change from run to run come first; the others are
//! read once.

mod add_normalize;
mod attend;
mod embed;
mod gelu;
mod linear;
mod mean;
mod texts;

use std::marker::PhantomData;

use ort::operator::{
    Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType;

/// Domain of the operators.
pub const DOMAIN: &str = "runpod.query";

/// Names of the operators.
pub mod name {
    /// Token ids to normalised rows: `ids, lengths; words, word scales, positions, scale, shift`; attributes `epsilon`
    /// and `padding_id` (-1: positions count from 0). Gives floats and rounded rows.
    pub const EMBED: &str = "EmbedTokens";
    /// Product with a matrix, and a bias: `rounded rows (2), matrix; scales, sums and biases of its columns`, the matrix
    /// in the order of [`place`](crate::model::kernels::product::place). Gives a product.
    pub const LINEAR: &str = "RoundedLinear";
    /// Attention: `product, lengths`; attributes `width`, `heads` and `first_only` (1: only the first token of each text
    /// asks). Gives rounded rows.
    pub const ATTEND: &str = "AttendWithinTexts";
    /// Residual and normalisation: `product, residual; scale, shift`; attribute `epsilon`. Gives floats and rounded rows.
    pub const ADD_NORMALIZE: &str = "AddNormalize";
    /// GELU: `product`; attribute `width`. Gives rounded rows.
    pub const GELU: &str = "GeluRound";
    /// Mean of the rows of each text: `floats, lengths`.
    pub const MEAN: &str = "MeanOfTexts";
}

/// The operators, for a session that runs an int8 graph.
pub fn domain() -> ort::Result<OperatorDomain> {
    OperatorDomain::new(DOMAIN)?
        .add(Adapter::<embed::Embed>::new())?
        .add(Adapter::<linear::Linear>::new())?
        .add(Adapter::<attend::Attend>::new())?
        .add(Adapter::<add_normalize::AddNormalize>::new())?
        .add(Adapter::<gelu::Gelu>::new())?
        .add(Adapter::<mean::Mean>::new())
}

/// One operator: its signature, and how a node of it is made.
trait Definition: Kernel + Sized + 'static {
    const NAME: &str;
    const INPUTS: &[TensorElementType];
    const OUTPUTS: &[TensorElementType];

    /// Makes a node.
    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self>;
}

/// A [`Definition`] as ONNX Runtime's binding wants it.
struct Adapter<D>(PhantomData<fn() -> D>);

impl<D> Adapter<D> {
    fn new() -> Self {
        Self(PhantomData)
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
        D::new(kernel)
    }
}

/// A whole number that the graph says of a node.
fn integer(kernel: &KernelContext<'_>, name: &str) -> ort::Result<i64> {
    kernel
        .get(name)
        .ok_or_else(|| ort::Error::new(format!("attribute {name} is missing")))
}

/// A number of columns that the graph says of a node.
fn width(kernel: &KernelContext<'_>) -> ort::Result<usize> {
    let width = usize::try_from(integer(kernel, "width")?).ok();
    width
        .filter(|width| *width > 0)
        .ok_or_else(|| ort::Error::new("a product has no columns"))
}

/// A float that the graph says of a node.
fn float(kernel: &KernelContext<'_>, name: &str) -> ort::Result<f32> {
    kernel
        .get(name)
        .ok_or_else(|| ort::Error::new(format!("attribute {name} is missing")))
}

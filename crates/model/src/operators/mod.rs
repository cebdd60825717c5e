//! The operators as ONNX Runtime sees them: names, inputs, outputs.
//!
//! A "product" is floats `[panels, rows, 32]`, panel by panel of columns. "Rounded rows" are two tensors: bytes
//! `[rows, columns]` and the rounding of each row, `[rows, 6]`. What stands between two products exists twice, because it
//! leaves rows in the form that the next product wants: as floats, or, where the name says so, rounded. Inputs that change
//! from run to run come first; the others are read once.

mod add_normalize;
mod attend;
mod embed;
mod float_linear;
mod gelu;
mod mean;
mod rounded_linear;
mod tensors;
mod texts;

use std::marker::PhantomData;

use ort::operator::{
    Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType::{self, Float32, Uint8};

/// Domain of the operators.
pub const DOMAIN: &str = "runpod.query";

/// Names of the operators.
pub mod name {
    /// Token ids to normalised rows: `ids, lengths; words, positions, scale, shift`; attributes `epsilon` and
    /// `padding_id` (-1: positions count from 0). Gives floats.
    pub const EMBED: &str = "EmbedTokens";
    /// The same from rounded words, whose scales are the last input. Gives floats and rounded rows.
    pub const EMBED_ROUND: &str = "EmbedTokensRound";
    /// Product with a matrix, and a bias: `floats, matrix; biases of its columns`, the matrix in the order of
    /// [`floats::place`](kernels::product::floats::place). Gives a product.
    pub const FLOAT_LINEAR: &str = "FloatLinear";
    /// Product with a matrix, and a bias: `rounded rows (2), matrix; scales, sums and biases of its columns`, the matrix
    /// in the order of [`bytes::place`](kernels::product::bytes::place). Gives a product.
    pub const ROUNDED_LINEAR: &str = "RoundedLinear";
    /// Attention: `product, lengths`; attributes `width`, `heads` and `first_only` (1: only the first token of each text
    /// asks). Gives floats.
    pub const ATTEND: &str = "AttendWithinTexts";
    /// The same. Gives rounded rows.
    pub const ATTEND_ROUND: &str = "AttendWithinTextsRound";
    /// Residual and normalisation: `product, residual; scale, shift`; attribute `epsilon`. Gives floats.
    pub const ADD_NORMALIZE: &str = "AddNormalize";
    /// The same. Gives floats and rounded rows.
    pub const ADD_NORMALIZE_ROUND: &str = "AddNormalizeRound";
    /// GELU: `product`; attribute `width`. Gives floats.
    pub const GELU: &str = "Gelu";
    /// The same. Gives rounded rows.
    pub const GELU_ROUND: &str = "GeluRound";
    /// Mean of the rows of each text: `floats, lengths`.
    pub const MEAN: &str = "MeanOfTexts";
}

/// The two forms of what stands between two products.
const FLOATS: bool = false;
const ROUNDED: bool = true;

/// The operators, for a session that runs one of our own graphs.
pub fn domain() -> ort::Result<OperatorDomain> {
    OperatorDomain::new(DOMAIN)?
        .add(Adapter::<embed::Embed<FLOATS>>::new())?
        .add(Adapter::<embed::Embed<ROUNDED>>::new())?
        .add(Adapter::<float_linear::FloatLinear>::new())?
        .add(Adapter::<rounded_linear::RoundedLinear>::new())?
        .add(Adapter::<attend::Attend<FLOATS>>::new())?
        .add(Adapter::<attend::Attend<ROUNDED>>::new())?
        .add(Adapter::<add_normalize::AddNormalize<FLOATS>>::new())?
        .add(Adapter::<add_normalize::AddNormalize<ROUNDED>>::new())?
        .add(Adapter::<gelu::Gelu<FLOATS>>::new())?
        .add(Adapter::<gelu::Gelu<ROUNDED>>::new())?
        .add(Adapter::<mean::Mean>::new())
}

/// Tensors that floats are given in.
const FLOAT_ROWS: &[TensorElementType] = &[Float32];
/// Tensors that rounded rows are given in.
const ROUNDED_ROWS: &[TensorElementType] = &[Uint8, Float32];
/// Tensors that rows are given in which are wanted as floats and rounded.
const BOTH_ROWS: &[TensorElementType] = &[Float32, Uint8, Float32];

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

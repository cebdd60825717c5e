//! The operators of our own graphs as ONNX Runtime sees them: names, inputs, outputs.
//!
//! "Panels" are floats `[panels, rows, 32]`, a [`PanelMatrix`](kernels::gemm::panel_matrix::PanelMatrix). "Quantized rows"
//! are two tensors: bytes `[rows, columns]` and the quantization of each row, `[rows, 6]`. An operator between two matrix
//! multiplications exists twice, because it leaves rows in the form that the next one takes: floats, or quantized. Inputs
//! that change from run to run come first; the others are constants. No panic leaves an operator: ONNX Runtime's threads
//! could not unwind it, and the process would abort.

mod add_layer_normalization;
mod attention;
mod embed_tokens;
mod gelu;
mod linear;
mod mean_pooling;
mod normalize_rows;
mod normalize_vectors;
mod quantized_linear;
mod select_rows;
mod sequences;
mod tensors;
mod token_weights;

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use half::f16;
use ort::operator::{
    ComputeContext, FromKernelContext, Kernel, KernelContext, Operator, OperatorDomain,
    OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType::{self, Float32, Uint8};

/// Domain of the operators.
pub const DOMAIN: &str = "runpod.query";

/// Names of the operators. Where there are two, the first gives floats, and the second quantized rows, for the matrix
/// multiplication that follows; see [`form`].
pub mod name {
    /// Embeddings with layer normalization: `ids, lengths; words, positions, scale, shift`; attributes `epsilon` and
    /// `padding_id` (-1: positions count from 0). The second takes quantized words, whose scales are the last input, and
    /// gives floats, too. The third takes words and positions in halves, and gives floats.
    pub const EMBED_TOKENS: [&str; 3] = ["EmbedTokens", "EmbedTokensQuantized", "HalfEmbedTokens"];
    /// Matrix multiplication plus bias: `floats; weights, bias`, the weights in the order of
    /// [`packed_index`](kernels::gemm::fp32::packed_index). Gives panels.
    pub const LINEAR: &str = "Linear";
    /// The same with weights in halves; the bias is in fp32.
    pub const HALF_LINEAR: &str = "HalfLinear";
    /// Matrix multiplication plus bias: `quantized rows (2); weights, scales, sums, bias`, the weights in the order of
    /// [`packed_index`](kernels::gemm::int8::packed_index), and scales and sums one for each column. Gives panels.
    pub const QUANTIZED_LINEAR: &str = "QuantizedLinear";
    /// Self-attention within each sequence: `panels, lengths, queries`; attributes `width` and `heads`. So many of a
    /// sequence's first tokens are query positions as `queries` says.
    pub const ATTENTION: [&str; 2] = ["Attention", "AttentionQuantized"];
    /// Residual and layer normalization: `panels, residual; scale, shift`; attribute `epsilon`. The second gives floats,
    /// too.
    pub const ADD_LAYER_NORMALIZATION: [&str; 2] =
        ["AddLayerNormalization", "AddLayerNormalizationQuantized"];
    /// GELU: `panels`; attribute `width`.
    pub const GELU: [&str; 2] = ["Gelu", "GeluQuantized"];
    /// Mean of the rows of each sequence: `floats, lengths`. Gives floats.
    pub const MEAN_POOLING: &str = "MeanPooling";
    /// Every row divided by its L2 norm: `floats`. Gives floats.
    pub const NORMALIZE_VECTORS: &str = "NormalizeVectors";
    /// The first rows of each sequence: `floats, lengths, counts`; attribute `skip`. So many as `counts` says, without the
    /// first `skip` of them. Gives floats.
    pub const SELECT_ROWS: &str = "SelectRows";
    /// The first column, and 0 where it is negative: `panels`. Gives floats `[rows]`.
    pub const TOKEN_WEIGHTS: &str = "TokenWeights";
    /// Every row divided by its L2 norm: `panels`; attribute `width`. Gives floats.
    pub const NORMALIZE_ROWS: &str = "NormalizeRows";
}

/// The two forms of what stands between two matrix multiplications.
const FLOATS: bool = false;
const QUANTIZED: bool = true;

/// What an operator of one form has, out of what the one that gives floats and the one that quantizes have.
pub const fn form<T: Copy>(both: [T; 2], is_quantized: bool) -> T {
    both[is_quantized as usize]
}

/// The operators, for a session that runs one of our own graphs.
pub fn domain() -> ort::Result<OperatorDomain> {
    OperatorDomain::new(DOMAIN)?
        .add(Adapter::<embed_tokens::EmbedTokens<f32>>::new())?
        .add(Adapter::<embed_tokens::EmbedTokens<f16>>::new())?
        .add(Adapter::<embed_tokens::EmbedTokens<i8>>::new())?
        .add(Adapter::<linear::Linear<f32>>::new())?
        .add(Adapter::<linear::Linear<f16>>::new())?
        .add(Adapter::<quantized_linear::QuantizedLinear>::new())?
        .add(Adapter::<attention::Attention<FLOATS>>::new())?
        .add(Adapter::<attention::Attention<QUANTIZED>>::new())?
        .add(Adapter::<
            add_layer_normalization::AddLayerNormalization<FLOATS>,
        >::new())?
        .add(Adapter::<
            add_layer_normalization::AddLayerNormalization<QUANTIZED>,
        >::new())?
        .add(Adapter::<gelu::Gelu<FLOATS>>::new())?
        .add(Adapter::<gelu::Gelu<QUANTIZED>>::new())?
        .add(Adapter::<mean_pooling::MeanPooling>::new())?
        .add(Adapter::<normalize_vectors::NormalizeVectors>::new())?
        .add(Adapter::<select_rows::SelectRows>::new())?
        .add(Adapter::<token_weights::TokenWeights>::new())?
        .add(Adapter::<normalize_rows::NormalizeRows>::new())
}

type Tensors = &'static [TensorElementType];
/// Output tensors of an operator whose result only a matrix multiplication takes.
const ACTIVATIONS: [Tensors; 2] = [&[Float32], &[Uint8, Float32]];
/// Output tensors of an operator whose result a residual connection takes, too.
const HIDDEN_STATES: [Tensors; 2] = [&[Float32], &[Float32, Uint8, Float32]];

/// One operator: its signature, and how a node of it is made.
trait Definition: Kernel + Sized + 'static {
    const NAME: &str;
    const INPUTS: Tensors;
    const OUTPUTS: Tensors;

    /// Makes the kernel of one node.
    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self>;
}

/// A [`Definition`] in the form that ONNX Runtime's binding takes.
struct Adapter<D>(PhantomData<fn() -> D>);

impl<D> Adapter<D> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<D: Definition> Operator for Adapter<D> {
    type Kernel<'attr> = Guarded<D>;

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

    fn create_kernel<'attr>(&self, kernel: &KernelContext<'attr>) -> ort::Result<Guarded<D>> {
        without_panic(|| D::new(kernel)).map(Guarded)
    }
}

/// A kernel whose panics are errors of the run.
struct Guarded<D>(D);

impl<D: Definition> Kernel for Guarded<D> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        without_panic(|| self.0.compute(context))
    }
}

/// Turns a panic into an error. Kernels keep no state between runs that a panic could leave half changed.
fn without_panic<T>(work: impl FnOnce() -> ort::Result<T>) -> ort::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(ort::Error::new(PANICKED)))
}

/// The error of a run in which an operator panicked; the panic itself goes to standard error.
const PANICKED: &str = "an operator panicked";

/// An attribute, an integer or a float.
fn attribute<'a, T: FromKernelContext<'a>>(
    kernel: &KernelContext<'a>,
    name: &str,
) -> ort::Result<T> {
    kernel
        .get(name)
        .ok_or_else(|| ort::Error::new(format!("attribute {name} is missing")))
}

/// The attribute `width`: a number of columns, at least 1.
fn width(kernel: &KernelContext<'_>) -> ort::Result<usize> {
    let width = usize::try_from(attribute::<i64>(kernel, "width")?).unwrap_or(0);
    tensors::ensure(width > 0, "attribute width is not a number of columns")?;
    Ok(width)
}

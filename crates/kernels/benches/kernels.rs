//! The kernels alone, on one thread: `cargo bench -p kernels`, or with a part of a name to run fewer.
//!
//! Weights are larger than most caches and rows are few, as for one query; 384 rows are a full batch.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use half::f16;
use kernels::attention::{Head, attend};
use kernels::gemm::panel_matrix::PanelMatrix;
use kernels::gemm::{PANEL, ROWS, fp32, int8, panel_count, rows_per_block};
use kernels::row_operations;
use kernels::rows::{LANES, Normalization, Strided};

const HIDDEN: usize = 1024;
const INTERMEDIATE: usize = 4096;
const ROW_COUNTS: [usize; 4] = [1, 12, 32, 384];
const TOKENS: usize = 128;
const HEAD: usize = 64;

/// Floats between -1 and 1.
fn floats(count: usize) -> Vec<f32> {
    (0..count)
        .map(|index| ((index * 7919 % 2003) as f32 / 1001.5) - 1.0)
        .collect()
}

/// Samples of a GEMM. Portable code, the last of the available instruction sets, takes half a second for a large one.
fn samples(is_portable: bool) -> usize {
    if is_portable { 10 } else { 100 }
}

fn gemm_int8(criterion: &mut Criterion) {
    for outputs in [HIDDEN, INTERMEDIATE] {
        let weights: Vec<i8> = (0..outputs * HIDDEN)
            .map(|index| (index * 31 % 255) as u8 as i8)
            .collect();
        for rows in ROW_COUNTS {
            let bytes: Vec<u8> = (0..rows * HIDDEN)
                .map(|index| (index * 17 % 256) as u8)
                .collect();
            let mut group = criterion.benchmark_group(format!("gemm_int8/{HIDDEN}x{outputs}"));
            group.throughput(Throughput::Elements((rows * HIDDEN * outputs) as u64));
            let available = int8::InstructionSet::available();
            for (index, instructions) in available.iter().enumerate() {
                group.sample_size(samples(index + 1 == available.len()));
                let mut sums = [[0; PANEL]; ROWS];
                group.bench_function(BenchmarkId::new(instructions.name(), rows), |bencher| {
                    bencher.iter(|| {
                        for panel in weights.chunks_exact(PANEL * HIDDEN) {
                            for block in bytes.chunks(rows_per_block(rows, ROWS) * HIDDEN) {
                                instructions.multiply(block, panel, &[0; PANEL], &mut sums);
                                black_box(&mut sums);
                            }
                        }
                    });
                });
            }
        }
    }
}

fn gemm_fp32(criterion: &mut Criterion) {
    gemm_floats::<f32>(criterion, "gemm_fp32", |weight| weight);
}

fn gemm_fp16(criterion: &mut Criterion) {
    gemm_floats(criterion, "gemm_fp16", f16::from_f32);
}

fn gemm_floats<W: fp32::Weight>(criterion: &mut Criterion, name: &str, store: fn(f32) -> W) {
    let stride = HIDDEN + LANES;
    for outputs in [HIDDEN, INTERMEDIATE] {
        let weights: Vec<W> = floats(outputs * HIDDEN).into_iter().map(store).collect();
        for rows in ROW_COUNTS {
            let floats = &floats(rows * stride);
            let activations = Strided { floats, stride };
            let mut products = vec![[0.0; PANEL]; rows];
            let mut group = criterion.benchmark_group(format!("{name}/{HIDDEN}x{outputs}"));
            group.throughput(Throughput::Elements((rows * HIDDEN * outputs) as u64));
            let available = fp32::InstructionSet::available();
            for (index, instructions) in available.iter().enumerate() {
                group.sample_size(samples(index + 1 == available.len()));
                group.bench_function(BenchmarkId::new(instructions.name(), rows), |bencher| {
                    bencher.iter(|| {
                        for panel in weights.chunks_exact(PANEL * HIDDEN) {
                            instructions.multiply(activations, panel, &[0.0; PANEL], &mut products);
                            black_box(&mut products);
                        }
                    });
                });
            }
        }
    }
}

fn row_by_row(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rows");
    let mut row = floats(HIDDEN);
    let mut bytes = vec![0; HIDDEN];
    group.throughput(Throughput::Elements(HIDDEN as u64));
    group.bench_function("quantize", |bencher| {
        bencher.iter(|| row_operations::quantize(black_box(&mut row), &mut bytes));
    });
    let (scale, shift, residual) = (vec![1.0; HIDDEN], vec![0.0; HIDDEN], floats(HIDDEN));
    let normalization = Normalization {
        scale: &scale,
        shift: &shift,
        epsilon: 1e-5,
    };
    group.bench_function("add_layer_normalization", |bencher| {
        bencher.iter(|| {
            row_operations::add_layer_normalization(&residual, normalization, black_box(&mut row));
        });
    });
    let mut scores = floats(HIDDEN);
    group.bench_function("softmax", |bencher| {
        bencher.iter(|| row_operations::softmax(black_box(&mut scores), HIDDEN, HIDDEN - 3));
    });
    let wide = floats(INTERMEDIATE);
    let mut row = wide.clone();
    group.throughput(Throughput::Elements(INTERMEDIATE as u64));
    group.bench_function("gelu", |bencher| {
        bencher.iter(|| {
            row.copy_from_slice(&wide);
            row_operations::gelu(black_box(&mut row));
        });
    });
}

fn attention(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attention/one head");
    for tokens in [12, TOKENS, 4 * TOKENS] {
        let projected = floats(panel_count(3 * HIDDEN) * tokens * PANEL);
        let matrix =
            PanelMatrix::new(&projected, 3 * HIDDEN).expect("the length is that of its panels");
        let mut context = vec![0.0; tokens * HEAD];
        group.throughput(Throughput::Elements(tokens as u64));
        group.bench_function(BenchmarkId::from_parameter(tokens), |bencher| {
            bencher.iter(|| {
                let head = Head {
                    start: 0,
                    tokens,
                    column: HEAD,
                    context: context.chunks_exact_mut(HEAD).collect(),
                };
                attend(black_box(&matrix), head);
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = gemm_int8, gemm_fp16, gemm_fp32, row_by_row, attention
}
criterion_main!(benches);

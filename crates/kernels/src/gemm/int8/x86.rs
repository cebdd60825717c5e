//! The GEMM in the vector instructions of x86-64.
//!
//! Every function here is unsafe for two reasons: it loads vectors through pointers, and an instruction that the
//! processor lacks is undefined behaviour. [`InstructionSet::multiply`](super::InstructionSet::multiply) is the only
//! caller: it holds a detected instruction set, and checks the lengths that every pointer here stays within.
#![expect(unsafe_code, reason = "vector instructions and loads through pointers")]

use std::arch::x86_64::*;

use super::{GROUP, PANEL, ROWS, STEP, Sums};

/// How far ahead of the multiplication weights are asked for, in bytes. A query uses every byte once, and without this
/// the processor would wait for memory and multiply in turns. Measured: flat from 3 to 8 KiB.
const AHEAD: usize = 6144;

/// # Safety
/// The processor has AVX-512 VNNI. `inputs` is a positive multiple of [`GROUP`], `rows` are whole rows of `inputs` bytes
/// and at most [`ROWS`], and `panel` has `inputs * PANEL` bytes.
#[inline]
pub unsafe fn avx512_vnni(rows: &[u8], inputs: usize, panel: &[i8], sums: &mut Sums) {
    let count = rows.len() / inputs;
    // SAFETY: the caller promises the instructions and the lengths, and `count` is the number of rows.
    unsafe {
        with_rows!(avx512_vnni_rows, count, (rows.as_ptr(), inputs, panel.as_ptr(), 0, sums),
            [1 2 3 4 5 6 7 8 9 10 11 12]);
    }
}

/// Defines the kernel of an instruction set with VNNI, whose registers hold `$columns` 32-bit sums.
macro_rules! vnni_kernel {
    ($kernel:ident, $features:literal, $columns:literal,
        $zero:ident, $load:ident, $broadcast:ident, $multiply_add:ident, $store:ident) => {
        /// Multiplies the columns of two registers.
        ///
        /// # Safety
        /// The processor has the instructions. `inputs` is a multiple of [`GROUP`], `rows` points to `COUNT` rows of
        /// `inputs` bytes, and `panel` to the first of at least so many columns that are left of a panel with `inputs`
        /// inputs.
        #[target_feature(enable = $features)]
        unsafe fn $kernel<const COUNT: usize>(
            rows: *const u8,
            inputs: usize,
            panel: *const i8,
            column: usize,
            sums: &mut [[i32; PANEL]],
        ) {
            let mut total = [[$zero(); 2]; COUNT];
            for group in 0..inputs / GROUP {
                // SAFETY: the columns of one step, and one group of every row, as the caller promises.
                unsafe {
                    let step = panel.add(group * STEP);
                    prefetch(step);
                    let weights = [$load(step.cast()), $load(step.add($columns * GROUP).cast())];
                    for (row, total) in total.iter_mut().enumerate() {
                        let activations = $broadcast(group_of(rows, row * inputs, group));
                        total[0] = $multiply_add(total[0], activations, weights[0]);
                        total[1] = $multiply_add(total[1], activations, weights[1]);
                    }
                }
            }
            for (total, sums) in total.into_iter().zip(sums) {
                let sums = sums[column..][..2 * $columns].as_mut_ptr();
                // SAFETY: as many sums as the slice above has.
                unsafe {
                    $store(sums.cast(), total[0]);
                    $store(sums.add($columns).cast(), total[1]);
                }
            }
        }
    };
}

vnni_kernel!(
    avx512_vnni_rows,
    "avx512f,avx512bw,avx512vnni",
    16,
    _mm512_setzero_si512,
    _mm512_loadu_si512,
    _mm512_set1_epi32,
    _mm512_dpbusd_epi32,
    _mm512_storeu_si512
);
vnni_kernel!(
    avx_vnni_rows,
    "avx2,avxvnni",
    8,
    _mm256_setzero_si256,
    _mm256_loadu_si256,
    _mm256_set1_epi32,
    _mm256_dpbusd_avx_epi32,
    _mm256_storeu_si256
);

/// Rows at one time in 16 registers.
const FEW_ROWS: usize = 6;
/// Columns of one register of 32-bit sums.
const COLUMNS: usize = 8;

/// Multiplies the rows and columns in pieces for which 16 registers are enough: six rows, sixteen columns.
///
/// # Safety
/// As for [`avx512_vnni`], on a processor with AVX2 and AVX VNNI.
#[inline]
pub unsafe fn avx_vnni(rows: &[u8], inputs: usize, panel: &[i8], sums: &mut Sums) {
    for (rows, sums) in rows
        .chunks(FEW_ROWS * inputs)
        .zip(sums.chunks_mut(FEW_ROWS))
    {
        for column in (0..PANEL).step_by(2 * COLUMNS) {
            let count = rows.len() / inputs;
            let panel = panel[column * GROUP..].as_ptr();
            // SAFETY: the caller promises the instructions and the lengths. `count` is the number of rows in this piece,
            // and sixteen columns of the panel begin at `column`.
            unsafe {
                with_rows!(avx_vnni_rows, count, (rows.as_ptr(), inputs, panel, column, sums), [1 2 3 4 5 6]);
            }
        }
    }
}

/// Inputs of a row that are widened at one time. With the weights that they are multiplied with they stay in the
/// processor's first cache.
const WIDENED: usize = 512;

/// Bytes are widened to 16 bits, whose products are added in 32: the instruction for bytes would add them in 16, which
/// 255 x 127 x 2 does not fit. Rows are widened once for all columns.
///
/// # Safety
/// As for [`avx512_vnni`], on a processor with AVX2.
#[inline]
pub unsafe fn avx2(rows: &[u8], inputs: usize, panel: &[i8], sums: &mut Sums) {
    let mut widened = [[0_i16; WIDENED]; FEW_ROWS];
    for (rows, sums) in rows
        .chunks(FEW_ROWS * inputs)
        .zip(sums.chunks_mut(FEW_ROWS))
    {
        let count = rows.len() / inputs;
        sums[..count].fill([0; PANEL]);
        for (part, panel) in panel.chunks(WIDENED * PANEL).enumerate() {
            for (row, widened) in rows.chunks_exact(inputs).zip(&mut widened) {
                let row = &row[part * WIDENED..];
                for (wide, byte) in widened.iter_mut().zip(row) {
                    *wide = i16::from(*byte);
                }
            }
            for column in (0..PANEL).step_by(COLUMNS) {
                // SAFETY: the caller promises the instructions. `count` is at most the number of widened rows, and eight
                // columns of the panel begin at `column`.
                unsafe {
                    with_rows!(avx2_rows, count, (&widened, panel, column, sums), [1 2 3 4 5 6]);
                }
            }
        }
    }
}

/// Adds the products of `COUNT` rows with eight columns of at most [`WIDENED`] inputs to the sums.
///
/// # Safety
/// The processor has AVX2. `panel` has whole groups of at most [`WIDENED`] inputs, and `column + 8` is at most [`PANEL`].
#[target_feature(enable = "avx2")]
unsafe fn avx2_rows<const COUNT: usize>(
    rows: &[[i16; WIDENED]; FEW_ROWS],
    panel: &[i8],
    column: usize,
    sums: &mut [[i32; PANEL]],
) {
    // Two sums for each column, of four columns in each register.
    let mut total = [[_mm256_setzero_si256(); 2]; COUNT];
    for (group, step) in panel.as_chunks::<STEP>().0.iter().enumerate() {
        let step = step.as_ptr().wrapping_add(column * GROUP);
        prefetch(step);
        // SAFETY: eight columns of one step, and one group of every row, as the caller promises.
        unsafe {
            let weights = [
                _mm256_cvtepi8_epi16(_mm_loadu_si128(step.cast())),
                _mm256_cvtepi8_epi16(_mm_loadu_si128(step.add(COLUMNS / 2 * GROUP).cast())),
            ];
            for (row, total) in rows.iter().zip(&mut total) {
                let activations = row.as_ptr().add(group * GROUP).cast::<i64>();
                let activations = _mm256_set1_epi64x(activations.read_unaligned());
                for (total, weights) in total.iter_mut().zip(weights) {
                    let products = _mm256_madd_epi16(activations, weights);
                    *total = _mm256_add_epi32(*total, products);
                }
            }
        }
    }
    for (total, sums) in total.into_iter().zip(sums) {
        // Adds neighbours in each half of a register: columns 0, 1, 4, 5 and 2, 3, 6, 7.
        let halves = _mm256_hadd_epi32(total[0], total[1]);
        let added = _mm256_permute4x64_epi64::<0b11_01_10_00>(halves);
        let sums = sums[column..][..COLUMNS].as_mut_ptr().cast();
        // SAFETY: eight sums, as the slice above has.
        unsafe {
            let before = _mm256_loadu_si256(sums);
            _mm256_storeu_si256(sums, _mm256_add_epi32(before, added));
        }
    }
}

/// Prefetches the weights that come next. The address may lie beyond the matrix.
#[inline(always)]
fn prefetch(step: *const i8) {
    let ahead = step.wrapping_add(AHEAD);
    // SAFETY: a prefetch reads nothing that the program can see and never faults, wherever it points; every x86-64
    // processor has it.
    unsafe {
        _mm_prefetch::<_MM_HINT_T1>(ahead);
        _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(STEP / 2));
    }
}

/// Four bytes of a row as one number. `row` is where the row begins.
///
/// # Safety
/// `rows` has at least `row + (group + 1) * GROUP` bytes.
#[inline(always)]
unsafe fn group_of(rows: *const u8, row: usize, group: usize) -> i32 {
    // SAFETY: the caller's promise; a number of four bytes may begin anywhere.
    unsafe { rows.add(row + group * GROUP).cast::<i32>().read_unaligned() }
}

const _: () = assert!(
    ROWS == 12,
    "the kernel for AVX-512 is called with up to 12 rows"
);

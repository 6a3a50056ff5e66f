"""The steps of a plan: each multiplies two factors and may sum a variable out: compiled loops."""

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ALIVE,
    ARENA,
    AXES,
    AXIS_DIM,
    AXIS_VAR,
    BITS,
    BLAMED,
    BUCKET,
    COUNT,
    DIM,
    FAC_OFF,
    FAC_SIZE,
    FACTORS,
    FIRST_AXIS,
    LAST_AXIS,
    LEAVES,
    LEFT,
    LEFT_IN,
    ORDER,
    PLACE,
    PLANNED,
    SCOPE,
    SCOPE_START,
    SCOPES,
    STEP_A,
    STEP_B,
    STEP_C,
    STEPS,
    STRIDE_A,
    STRIDE_B,
    STRIDE_C,
    TOO_LARGE,
    VARS,
    WIDEST,
    WIDTH,
    Ints,
    Words,
)
from rootcause.engine.kernels.bits import lowest_bit


@njit(cache=True, nogil=True)
def make_steps(room: Ints, words: Words, limit: float) -> int:
    """Turn the order into steps, each of which multiplies two factors and may sum one variable out."""
    room[COUNT, ARENA] = 0
    for at in range(room[COUNT, VARS]):
        room[PLACE, room[ORDER, at]] = at
    taken_out = room[COUNT, VARS] - room[COUNT, LEFT_IN]
    alive = room[COUNT, LEAVES]
    for leaf in range(room[COUNT, LEAVES]):
        room[ALIVE, leaf] = leaf
        room[FAC_OFF, leaf] = room[COUNT, ARENA]
        room[COUNT, ARENA] += room[FAC_SIZE, leaf]
    for at in range(taken_out):
        var = room[ORDER, at]
        alive, count = _take_bucket(room, words, var, alive)
        if count == 0:
            continue
        result = _multiply(room, words, count, var, limit)
        if result < 0:
            return TOO_LARGE
        room[ALIVE, alive] = result
        alive += 1
    room[COUNT, LEFT] = alive
    return PLANNED


@njit(cache=True, nogil=True, forceinline=True)
def _take_bucket(room: Ints, words: Words, var: int, alive: int) -> tuple[int, int]:
    """Put the factors that have a variable into ``BUCKET``, the smallest first.

    Args:
        room: Working memory.
        words: Working memory.
        var: The variable.
        alive: How many factors stand in ``ALIVE``.

    Returns:
        How many are left there, and how many are in the bucket.
    """
    width = room[COUNT, WIDTH]
    word, mask = var >> 6, np.uint64(1) << np.uint64(var & 63)
    count = 0
    left = 0
    for i in range(alive):
        factor = room[ALIVE, i]
        if words[BITS, factor * width + word] & mask:
            _put(room, count, factor)
            count += 1
        else:
            room[ALIVE, left] = factor
            left += 1
    return left, count


@njit(cache=True, nogil=True, forceinline=True)
def _put(room: Ints, count: int, factor: int) -> None:
    """Put a factor into a bucket of so many, behind those that are as small."""
    place = count
    while place > 0 and room[FAC_SIZE, room[BUCKET, place - 1]] > room[FAC_SIZE, factor]:
        room[BUCKET, place] = room[BUCKET, place - 1]
        place -= 1
    room[BUCKET, place] = factor


@njit(cache=True, nogil=True)
def _multiply(room: Ints, words: Words, count: int, var: int, limit: float) -> int:
    """Multiply all factors of a bucket and sum a variable out; return the result, or -1 if it is too large.

    The smallest factor is multiplied by the one with which its product is smallest, and so on: tables over the same
    variables meet before their product meets the larger table that all of them end up in.
    """
    if count == 1:
        return _step(room, words, room[BUCKET, 0], -1, var, limit)
    while True:
        mate = _mate(room, words, count)
        product = _step(room, words, room[BUCKET, 0], room[BUCKET, mate], var if count == 2 else -1, limit)
        if product < 0 or count == 2:
            return product
        for i in range(1, mate):
            room[BUCKET, i - 1] = room[BUCKET, i]
        for i in range(mate + 1, count):
            room[BUCKET, i - 2] = room[BUCKET, i]
        count -= 2
        _put(room, count, product)
        count += 1


@njit(cache=True, nogil=True, forceinline=True)
def _mate(room: Ints, words: Words, count: int) -> int:
    """Return which factor of a bucket makes the smallest product with the first; of equals, the largest."""
    width = room[COUNT, WIDTH]
    first = room[BUCKET, 0] * width
    best, least = 1, np.inf
    for i in range(1, count):
        factor = room[BUCKET, i]
        size = float(room[FAC_SIZE, factor])
        for w in range(width):
            fresh = words[BITS, first + w] & ~words[BITS, factor * width + w]
            while fresh and size <= least:
                size *= room[DIM, (w << 6) + lowest_bit(fresh)]
                fresh &= fresh - np.uint64(1)
        if size <= least:
            best, least = i, size
    return best


@njit(cache=True, nogil=True, forceinline=True)
def _step(room: Ints, words: Words, one: int, two: int, drop: int, limit: float) -> int:
    """Add the step that multiplies two factors (or takes one) and sums a variable out; return the new factor or -1."""
    if two >= 0 and room[FAC_SIZE, two] > room[FAC_SIZE, one]:
        one, two = two, one
    first = room[COUNT, AXES]
    last = _take_axes(room, one, first, first, STRIDE_A, STRIDE_B)
    if two >= 0:
        last = _take_axes(room, two, first, last, STRIDE_B, STRIDE_A)
    size = 1.0
    for at in range(first, last):
        size *= 1 if room[AXIS_VAR, at] == drop else room[AXIS_DIM, at]
    if size + room[COUNT, ARENA] > limit or last - first > WIDEST:
        room[COUNT, AXES] = last  # what is to blame, for the message
        for at in range(first, last):
            room[BLAMED, at - first] = room[AXIS_VAR, at]
        room[FIRST_AXIS, room[COUNT, STEPS]] = first
        return -1
    new = room[COUNT, FACTORS]
    start = room[COUNT, SCOPES]
    stop = start
    for at in range(first, last):
        if room[AXIS_VAR, at] != drop:
            room[SCOPE, stop] = room[AXIS_VAR, at]
            stop += 1
    stride = 1
    for at in range(last - 1, first - 1, -1):
        if room[AXIS_VAR, at] == drop:
            room[STRIDE_C, at] = 0
        else:
            room[STRIDE_C, at] = stride
            stride *= room[AXIS_DIM, at]
    room[COUNT, SCOPES] = stop
    room[COUNT, AXES] = last
    room[COUNT, FACTORS] += 1
    room[SCOPE_START, new + 1] = stop
    room[FAC_SIZE, new] = stride
    room[FAC_OFF, new] = room[COUNT, ARENA]
    room[COUNT, ARENA] += stride
    width = room[COUNT, WIDTH]
    for w in range(width):
        word = words[BITS, one * width + w]
        if two >= 0:
            word |= words[BITS, two * width + w]
        if drop >= 0 and w == drop >> 6:
            word &= ~(np.uint64(1) << np.uint64(drop & 63))
        words[BITS, new * width + w] = word
    step = room[COUNT, STEPS]
    room[STEP_A, step] = one
    room[STEP_B, step] = two
    room[STEP_C, step] = new
    room[FIRST_AXIS, step] = first
    room[LAST_AXIS, step] = last
    room[COUNT, STEPS] += 1
    return int(new)


@njit(cache=True, nogil=True, forceinline=True)
def _take_axes(room: Ints, factor: int, first: int, last: int, mine: int, other: int) -> int:
    """Add the axes of a factor to those of a step, the soonest eliminated first; return where they end."""
    stride = room[FAC_SIZE, factor]
    place = first
    for at in range(room[SCOPE_START, factor], room[SCOPE_START, factor + 1]):
        var = room[SCOPE, at]
        stride //= room[DIM, var]
        position = room[PLACE, var]
        while place > first and room[PLACE, room[AXIS_VAR, place - 1]] >= position:
            place -= 1
        while place < last and room[PLACE, room[AXIS_VAR, place]] < position:
            place += 1
        if place == last or room[AXIS_VAR, place] != var:
            for k in range(last, place, -1):
                room[AXIS_VAR, k] = room[AXIS_VAR, k - 1]
                room[AXIS_DIM, k] = room[AXIS_DIM, k - 1]
                room[STRIDE_A, k] = room[STRIDE_A, k - 1]
                room[STRIDE_B, k] = room[STRIDE_B, k - 1]
            room[AXIS_VAR, place] = var
            room[AXIS_DIM, place] = room[DIM, var]
            room[other, place] = 0
            last += 1
        room[mine, place] = stride
    return last

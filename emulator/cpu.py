"""The processor: Unicorn's RV32IMC between events, interrupts and exceptions as the ESP32-C3 takes them (TRM chapter 1).

Rules of time: every instruction is one cycle; the processor stops for an event at the end of the first block of instructions
that reaches its time; WFI lets virtual time jump to the next event. Where `run` stops has no influence on what happens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import unicorn
from unicorn import riscv_const as rv
from unicorn.unicorn_py3.unicorn import uclib

from emulator import native
from emulator.chip import Chip, is_reserved
from emulator.clock import CPU_HZ, MAX_FRAMES, CodeBlock, Frame, HookState, Region
from emulator.decode import faulting_instruction, instruction_lengths, is_refused
from emulator.errors import AccessError, MachineError

Hook = Literal["native", "python"]

STOP_DEADLINE, STOP_INTERRUPT, STOP_REFUSED, STOP_FRAMES = 1, 2, 3, 4
NO_STAGE = 0xFFFFFFFF
OTHER, INTERRUPTS = "other", "interrupts"
"""Stages that are always there: code in no stage, and interrupt handlers."""

_CACHE_BLOCKS = 1 << 14
_MOST_INSTRUCTIONS = CPU_HZ // 10  # at a time, so that Ctrl-C is heard
_NEVER = 0xFFFFFFFE
_WFI = 0x10500073
_MIE, _MPIE, _MPP = 1 << 3, 1 << 7, 3 << 11
_ALLOWED_CSRS = (0x300, 0x301, 0x305, 0x340, 0x341, 0x342, 0x343, 0xF11, 0xF12, 0xF13, 0xF14, 0x7E0, 0x7E1, 0x7E2)
_CYCLE_CSRS = (0x7E0, 0x7E1, 0x7E2)  # MPCER, MPCMR, MPCCR: Espressif's counter of cycles
_INTERRUPT_FLAG = 1 << 31
_ECALL, _EBREAK = 0x00000073, (0x00100073, 0x9002)
_ILLEGAL, _BREAKPOINT, _ECALL_FROM_M = 2, 3, 11  # mcause, as in the RISC-V privileged specification; below, too
_ACCESS_FAULTS = {
    unicorn.UC_MEM_FETCH_UNMAPPED: (1, "jump to {:#010x}, where nothing is"),
    unicorn.UC_MEM_READ_UNMAPPED: (5, "read at {:#010x}, where nothing is"),
    unicorn.UC_MEM_WRITE_UNMAPPED: (7, "write at {:#010x}, where nothing is"),
    unicorn.UC_MEM_FETCH_PROT: (1, "jump to {:#010x}, which is data"),
}
_MOST_ALIKE = 1000  # exceptions of one instruction in a row: its handler cannot run

_READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32)
_MMIO_READ = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_void_p)
_MMIO_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_uint64, ctypes.c_void_p)


class _Page(ctypes.Structure):
    """Mirrors `struct page` of block_hook.c."""

    _fields_ = [("state", ctypes.POINTER(HookState)), ("base", ctypes.c_uint32)]


@dataclass(frozen=True)
class CpuException:
    """An exception that the processor took: it went on at mtvec.

    Attributes:
        time_s: virtual time.
        cause: mcause: 1 instruction access fault, 2 illegal instruction, 3 breakpoint, 5 load and 7 store access fault, 11
            environment call.
        pc: mepc, the instruction.
        value: mtval: the address, or the illegal instruction; else 0.
        text: for people, with the function.
    """

    time_s: float
    cause: int
    pc: int
    value: int
    text: str


class Cpu:
    """The processor of one chip.

    Args:
        chip: memory and peripherals.
        hook: `native` (C, compiled at first use) or `python`: slower, the same in all else.
        stages: functions that make up each stage, by the stage's name: its instructions and those of all it calls, other
            stages excepted, are counted under it.

    Raises:
        MachineError: unknown function in a stage; the native hook cannot be compiled.
    """

    def __init__(self, chip: Chip, hook: Hook = "native", stages: Mapping[str, list[str]] | None = None) -> None:
        self.chip, self.hook = chip, hook
        self.state = chip.clock.state
        self.waiting = False
        """Whether it sleeps in WFI."""
        self.failed: MachineError | None = None
        """Why it cannot go on; a reset mends it."""
        self.exceptions: list[CpuException] = []
        """All that were taken."""
        self.debugged = False
        """Whether an ebreak stops the processor, for a debugger, instead of being an exception."""
        self.halted = False
        """Whether one did, or a breakpoint; clear it to go on."""
        self._breakpoints: dict[int, Any] = {}
        self._single = False
        self._raised: BaseException | None = None
        self._taken: CpuException | None = None
        self._alike = 0
        self._intr: int | None = None
        self._cycle_csrs = dict.fromkeys(_CYCLE_CSRS, 0)
        self._uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        self._kept: list[Any] = []  # what C holds pointers to
        self._fill_state(stages or {})
        self._map()
        self._hook()
        self.reset()

    # Set-up

    def _fill_state(self, stages: Mapping[str, list[str]]) -> None:
        state, image = self.state, self.chip.image
        self.stage_names = [OTHER, INTERRUPTS, *stages]
        entries: dict[int, int] = {}
        for number, names in enumerate(stages.values(), start=2):
            for name in names:
                if name not in image.symbols:
                    raise MachineError(f"{image.path}: no function '{name}' for stage '{self.stage_names[number]}'")
                entries[image.symbols[name]] = number
        n = len(image.functions)
        self._function_starts = (ctypes.c_uint32 * max(n, 1))(*(start for start, _ in image.functions))
        self._function_counts = (ctypes.c_uint64 * (n + 1))()
        self._stage_counts = (ctypes.c_uint64 * len(self.stage_names))()
        self._entries = entries
        self._entry_pcs = (ctypes.c_uint32 * max(len(entries), 1))(*entries)
        self._entry_stages = (ctypes.c_uint32 * max(len(entries), 1))(*entries.values())
        self._allowed = (ctypes.c_uint32 * 128)()
        for csr in _ALLOWED_CSRS:
            self._allowed[csr // 32] |= 1 << csr % 32
        code = [memory for memory in self.chip.memories if memory.executable]
        self._regions = (Region * len(code))(*(Region(m.base, m.size, ctypes.addressof(m.buffer)) for m in code))
        self._code = code
        self._cache = (CodeBlock * _CACHE_BLOCKS)()
        self._blocks: dict[tuple[int, int], CodeBlock] = {}
        for field, array in (
            ("function_starts", self._function_starts),
            ("function_counts", self._function_counts),
            ("stage_counts", self._stage_counts),
            ("entry_pcs", self._entry_pcs),
            ("entry_stages", self._entry_stages),
            ("allowed_csrs", self._allowed),
            ("regions", self._regions),
            ("cache", self._cache),
        ):
            setattr(state, field, ctypes.addressof(array))
        state.n_functions, state.n_entries, state.n_regions = n, len(entries), len(code)
        state.cache_mask = _CACHE_BLOCKS - 1
        state.mstatus = rv.UC_RISCV_REG_MSTATUS
        self._read_c, self._write_c = _READ(self._read), _WRITE(self._write)
        for field, function in (
            ("stop", uclib.uc_emu_stop),
            ("read_register", uclib.uc_reg_read),
            ("read", self._read_c),
            ("write", self._write_c),
        ):
            setattr(state, field, ctypes.cast(function, ctypes.c_void_p).value)

    def _map(self) -> None:
        for memory in self.chip.memories:
            rights = unicorn.UC_PROT_READ
            rights |= unicorn.UC_PROT_WRITE if memory.writable else 0
            rights |= unicorn.UC_PROT_EXEC if memory.executable else 0
            self._uc.mem_map_ptr(memory.base, memory.size, rights, ctypes.addressof(memory.buffer))

    def _hook(self) -> None:
        uc, state = self._uc._uch, ctypes.byref(self.state)
        if self.hook == "native":
            library = native.library()
            on_read: Any = library.on_read
            on_write: Any = library.on_write
        else:
            on_read, on_write = _MMIO_READ(self._on_read), _MMIO_WRITE(self._on_write)
            self._kept += [on_read, on_write]
            self._uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block)
        for base in self.chip.register_pages:
            page = _Page(ctypes.pointer(self.state), base)
            self._kept.append(page)
            _check(
                uclib.uc_mmio_map(
                    uc,
                    ctypes.c_uint64(base),
                    ctypes.c_size_t(0x1000),
                    ctypes.cast(on_read, ctypes.c_void_p),
                    ctypes.byref(page),
                    ctypes.cast(on_write, ctypes.c_void_p),
                    ctypes.byref(page),
                )
            )
        if self.hook == "native":
            handle = ctypes.c_size_t()
            _check(
                uclib.uc_hook_add(
                    uc,
                    ctypes.byref(handle),
                    ctypes.c_int(unicorn.UC_HOOK_BLOCK),
                    ctypes.cast(library.on_block, ctypes.c_void_p),
                    state,
                    ctypes.c_uint64(1),
                    ctypes.c_uint64(0),
                )
            )
        self._uc.hook_add(unicorn.UC_HOOK_INTR, self._on_intr)
        self._uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid)

    # Registers of the processor

    def register(self, number: int) -> int:
        """x0 to x31."""
        return int(self._uc.reg_read(rv.UC_RISCV_REG_X0 + number))

    @property
    def pc(self) -> int:
        """Address of the next instruction; while one is at work: of the block it is in."""
        return int(self._uc.reg_read(rv.UC_RISCV_REG_PC))

    def reset(self) -> None:
        """All registers zero, pc at the program's entry."""
        for number in range(1, 32):
            self._uc.reg_write(rv.UC_RISCV_REG_X0 + number, 0)
        for register in (rv.UC_RISCV_REG_MSTATUS, rv.UC_RISCV_REG_MTVEC, rv.UC_RISCV_REG_MEPC, rv.UC_RISCV_REG_MCAUSE):
            self._uc.reg_write(register, 0)
        self._uc.reg_write(rv.UC_RISCV_REG_PC, self.chip.image.entry)
        self._cycle_csrs = dict.fromkeys(_CYCLE_CSRS, 0)
        self.state.n_frames = 0
        self.waiting = False
        self.failed = None
        self.code_changed()

    def code_changed(self) -> None:
        """Forget what was translated and decoded: memory with code was changed from outside."""
        self._uc.ctl_flush_tb()
        ctypes.memset(self._cache, 0, ctypes.sizeof(self._cache))
        self._blocks.clear()

    def function_instructions(self) -> dict[str, int]:
        """Instructions executed in each function itself, by name."""
        counts: dict[str, int] = {}
        names = [name for _, name in self.chip.image.functions] + ["?"]
        for name, count in zip(names, self._function_counts, strict=True):
            if count:
                counts[name] = counts.get(name, 0) + count
        return counts

    def stage_instructions(self) -> dict[str, int]:
        """Instructions executed in each stage."""
        return dict(zip(self.stage_names, self._stage_counts, strict=True))

    # Running

    def run_until(self, cycles: int, stopped: Callable[[], bool]) -> None:
        """Run to this time, or until `stopped` says so (asked whenever events have been handled).

        Raises:
            MachineError: the firmware did what is not modelled or not allowed; again at every call until a reset.
        """
        if self.failed is not None and self.chip.requested_reset is None:
            raise self.failed
        try:
            self._run_until(cycles, stopped)
        except MachineError as error:
            self.failed = error
            raise

    def _run_until(self, cycles: int, stopped: Callable[[], bool]) -> None:
        clock, state, chip = self.chip.clock, self.state, self.chip
        while True:
            now = clock.now
            due = min((at for p in chip.timed if (at := p.next_event()) is not None), default=cycles)
            if due <= now:
                state.poll_until = 0
                for peripheral in chip.timed:
                    peripheral.advance(now)
            if chip.requested_reset is not None:
                chip.reset(chip.requested_reset)
                self.reset()
                continue
            if not chip.powered or self.halted or stopped() or now >= cycles:
                return
            if due <= now:
                continue
            if self.waiting:
                if not state.pending_line:
                    clock.slept += min(due, cycles) - now
                    state.poll_until = 0
                    continue
                self.waiting = False
            if state.pending_line and self._uc.reg_read(rv.UC_RISCV_REG_MSTATUS) & _MIE:
                self._interrupt(state.pending_line)
            state.deadline = min(due, cycles, now + _MOST_INSTRUCTIONS) - clock.slept
            self._execute()

    def step(self) -> None:
        """Execute one instruction; while the processor sleeps, pass the time until it wakes first."""
        breakpoints = list(self._breakpoints)
        for address in breakpoints:
            self.clear_breakpoint(address)
        self.code_changed()  # Unicorn counts in newly translated code only
        self._single = True
        self.run_until(self.chip.clock.now + _MOST_INSTRUCTIONS, lambda: not self._single)
        for address in breakpoints:
            self.set_breakpoint(address)

    def set_breakpoint(self, address: int) -> None:
        """Halt before the instruction there, without a change to memory. A single step does not."""
        if address not in self._breakpoints:
            hook = self._uc.hook_add(unicorn.UC_HOOK_CODE, self._on_breakpoint, begin=address, end=address)
            self._breakpoints[address] = hook
            self.code_changed()

    def clear_breakpoint(self, address: int) -> None:
        """Let it pass again."""
        if address in self._breakpoints:
            self._uc.hook_del(self._breakpoints.pop(address))
            self.code_changed()

    def _on_breakpoint(self, uc: unicorn.Uc, address: int, _size: int, _user: Any) -> None:
        self.halted = True
        state = self.state
        left = self._code_at(address, state.block_pc + state.block_size - address)
        state.instructions -= sum(1 for _ in instruction_lengths(left))  # they are counted when they are executed
        uc.emu_stop()

    def set_register(self, number: int, value: int) -> None:
        """x1 to x31; 32 is the pc."""
        if number == 32:
            self._uc.reg_write(rv.UC_RISCV_REG_PC, value)
        elif number:
            self._uc.reg_write(rv.UC_RISCV_REG_X0 + number, value)

    def _execute(self) -> None:
        state = self.state
        state.stopped, self._intr, self._taken = 0, None, None
        before, start = int(state.instructions), self.pc
        try:
            self._uc.emu_start(start, _NEVER, count=int(self._single))
        except unicorn.UcError as error:
            self._fault(error)
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        if state.stopped == STOP_REFUSED:
            raise self._error("an instruction or control register that the ESP32-C3 has not", state.refused_pc)
        if state.stopped == STOP_FRAMES:
            raise self._error(f"stages nested deeper than {MAX_FRAMES}", self.pc)
        if state.stopped or self.halted:
            return
        if self._single and self._intr is None and self._taken is None:
            state.instructions = before + 1  # the hook has counted the whole block
            self._single = False
            self.waiting = self.chip.peek(start, 4) == _WFI.to_bytes(4, "little")
            return
        if self._intr is not None:
            self._handle(self._intr)
        elif self._taken is None and int.from_bytes(self.chip.peek(self.pc - 4, 4), "little") == _WFI:
            self.waiting = True
        elif self._taken is None:
            raise self._error("the processor stopped for no known reason", self.pc)
        if self._taken is not None and self.debugged and self._taken.cause == _BREAKPOINT:
            state.instructions -= 1  # it is not the program's
            self.halted = True
        elif self._taken is not None:
            self._take(self._taken)
        self._single = False

    def _interrupt(self, line: int) -> None:
        """Enter the handler of a line: on the C3 vectors are always used, at mtvec + 4 * line."""
        uc, state, pc = self._uc, self.state, self.pc
        vectors = int(uc.reg_read(rv.UC_RISCV_REG_MTVEC)) & ~0xFF
        if not vectors:
            raise self._error(f"interrupt line {line} taken before mtvec was set", pc)
        status = int(uc.reg_read(rv.UC_RISCV_REG_MSTATUS))
        uc.reg_write(rv.UC_RISCV_REG_MEPC, pc)
        uc.reg_write(rv.UC_RISCV_REG_MCAUSE, _INTERRUPT_FLAG | line)
        uc.reg_write(rv.UC_RISCV_REG_MSTATUS, status & ~(_MIE | _MPIE) | _MPIE | _MPP)
        uc.reg_write(rv.UC_RISCV_REG_PC, vectors + 4 * line)
        if state.n_frames == MAX_FRAMES:
            raise self._error(f"stages nested deeper than {MAX_FRAMES}", pc)
        state.frames[state.n_frames] = Frame(pc, self.register(2), 1)
        state.n_frames += 1

    def _handle(self, number: int) -> None:
        """What Unicorn reports as an interrupt: illegal instructions and ecall; pc is behind it by four."""
        pc = self.pc - 4
        word = int.from_bytes(self.chip.peek(pc, 4), "little")
        if number == 2 and word & 0x7F == 0x73 and word >> 20 in _CYCLE_CSRS:
            self._access_cycle_csr(word)
        elif word == _ECALL:
            self._taken = self._exception(_ECALL_FROM_M, pc, 0, "ecall")
        elif number == 2:
            self._taken = self._illegal(pc)
        else:
            raise self._error(f"exception {number}", pc)

    def _illegal(self, pc: int) -> CpuException:
        word = int.from_bytes(self.chip.peek(pc, 4), "little")
        word &= 0xFFFF if word & 3 != 3 else 0xFFFFFFFF
        return self._exception(_ILLEGAL, pc, word, f"illegal instruction {word:#x}")

    def _exception(self, cause: int, pc: int, value: int, what: str) -> CpuException:
        return CpuException(self.chip.clock.now_s, cause, pc, value, str(self._error(what, pc)))

    def _take(self, taken: CpuException) -> None:
        """Enter the handler: vector 0. Time is that of the end of the block, as with registers."""
        uc = self._uc
        vectors = int(uc.reg_read(rv.UC_RISCV_REG_MTVEC)) & ~0xFF
        last = self.exceptions[-1] if self.exceptions else None
        again = last is not None and (last.cause, last.pc) == (taken.cause, taken.pc) and taken.cause != _ECALL_FROM_M
        self._alike = self._alike + 1 if again else 0
        if not vectors or taken.pc == vectors or self._alike == _MOST_ALIKE:
            raise MachineError(f"no handler for: {taken.text}")
        if not again:
            self.exceptions.append(taken)
        status = int(uc.reg_read(rv.UC_RISCV_REG_MSTATUS))
        saved = _MPIE if status & _MIE else 0
        uc.reg_write(rv.UC_RISCV_REG_MEPC, taken.pc)
        uc.reg_write(rv.UC_RISCV_REG_MCAUSE, taken.cause)
        uc.reg_write(rv.UC_RISCV_REG_MTVAL, taken.value)
        uc.reg_write(rv.UC_RISCV_REG_MSTATUS, status & ~(_MIE | _MPIE) | saved | _MPP)
        uc.reg_write(rv.UC_RISCV_REG_PC, vectors)

    def _access_cycle_csr(self, word: int) -> None:
        """csrrw, csrrs, csrrc and their immediate forms on MPCER, MPCMR and MPCCR."""
        csr, source, target, kind = word >> 20, word >> 15 & 31, word >> 7 & 31, word >> 12 & 7
        old = self._cycle_csrs[csr]
        if csr == 0x7E2 and self._cycle_csrs[0x7E0] & 3 and self._cycle_csrs[0x7E1] & 1:
            old = (self.chip.clock.now - old) & 0xFFFFFFFF
        operand = source if kind & 4 else self.register(source)
        new = {1: operand, 2: old | operand, 3: old & ~operand}[kind & 3]
        if kind & 3 == 1 or source:
            self._cycle_csrs[csr] = new & 0xFFFFFFFF if csr != 0x7E2 else (self.chip.clock.now - new) & 0xFFFFFFFF
        if target:
            self._uc.reg_write(rv.UC_RISCV_REG_X0 + target, old)

    # Called by Unicorn

    def _on_block(self, uc: unicorn.Uc, pc: int, size: int, _user: Any) -> None:
        """The hook in Python: what block_hook.c does, line by line."""
        state = self.state
        if state.pending_line and uc.reg_read(rv.UC_RISCV_REG_MSTATUS) & _MIE:
            self._stop(STOP_INTERRUPT)
            return
        if state.instructions >= state.deadline:
            self._stop(STOP_DEADLINE)
            return
        block = self._blocks.get((pc, size))
        if block is None:
            block = self._blocks[(pc, size)] = self._decode(pc, size)
        if block.refused_pc:
            state.refused_pc = block.refused_pc
            self._stop(STOP_REFUSED)
            return
        while state.n_frames:
            frame = state.frames[state.n_frames - 1]
            if frame.exit_pc != pc or frame.sp != self.register(2):
                break
            state.n_frames -= 1
        if block.stage != NO_STAGE:
            entered = (self.register(1), self.register(2), block.stage)
            top = state.frames[state.n_frames - 1] if state.n_frames else None
            # A loop back to the function's first instruction is no new call.
            if top is None or (top.exit_pc, top.sp, top.stage) != entered:
                if state.n_frames == MAX_FRAMES:
                    self._stop(STOP_FRAMES)
                    return
                state.frames[state.n_frames] = Frame(*entered)
                state.n_frames += 1
        state.block_pc, state.block_size = pc, size
        state.instructions += block.instructions
        self._function_counts[block.function] += block.instructions
        stage = state.frames[state.n_frames - 1].stage if state.n_frames else 0
        self._stage_counts[stage] += block.instructions

    def _decode(self, pc: int, size: int) -> CodeBlock:
        code = self._code_at(pc, size)
        refused, instructions, at = 0, 0, 0
        for length in instruction_lengths(code):
            word = int.from_bytes(code[at : at + 4], "little")
            if length == 4 and at + 4 <= size and not refused and is_refused(word, _ALLOWED_CSRS):
                refused = pc + at
            instructions += 1
            at += length
        function = len(self.chip.image.functions)
        starts = self._function_starts
        if function and starts[0] <= pc:
            low, high = 0, function
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if starts[middle] <= pc else (low, middle)
            function = low - 1
        return CodeBlock(pc, size, instructions, function, self._entries.get(pc, NO_STAGE), refused)

    def _code_at(self, pc: int, size: int) -> bytes:
        for memory in self._code:
            if memory.base <= pc and pc + size <= memory.base + memory.size:
                return memory.read(pc, size)
        return b""

    def _stop(self, why: int) -> None:
        self.state.stopped = why
        self._uc.emu_stop()

    def _read(self, address: int, size: int) -> int:
        state = self.state
        state.poll_until = 0
        try:
            value = self.chip.read(address, size)
        except BaseException as error:  # nothing may pass through C
            self._keep(error, address, store=False)
            return 0
        state.poll_address, state.poll_value = address, value
        return value

    def _write(self, address: int, size: int, value: int) -> None:
        self.state.poll_until = 0
        if not self.chip.powered:
            return  # the rest of the block in which the power went
        try:
            self.chip.write(address, size, value)
        except BaseException as error:
            self._keep(error, address, store=True)

    def _on_read(self, _uc: Any, offset: int, size: int, user: int) -> int:
        address = _Page.from_address(user).base + offset
        state = self.state
        if address == state.poll_address and size == 4 and state.instructions < state.poll_until:
            return int(state.poll_value)
        return self._read(address, size)

    def _on_write(self, _uc: Any, offset: int, size: int, value: int, user: int) -> None:
        self._write(_Page.from_address(user).base + offset, size, value & 0xFFFFFFFF)

    def _keep(self, error: BaseException, address: int, *, store: bool) -> None:
        """An error in a peripheral: the block is finished, then it is raised, with the place."""
        if self._raised is None:
            if isinstance(error, AccessError):
                code = self._code_at(self.state.block_pc, self.state.block_size)
                pc = faulting_instruction(code, self.state.block_pc, address, self.register, store=store)
                error = self._error(str(error), self.state.block_pc if pc is None else pc)
            self._raised = error
        self.chip.clock.attention()

    def _on_intr(self, uc: unicorn.Uc, number: int, _user: Any) -> None:
        self._intr = number
        uc.emu_stop()

    def _on_invalid(self, _uc: unicorn.Uc, access: int, address: int, size: int, _value: int, _user: Any) -> bool:
        """An exception where the chip has nothing; an error where it has something that is not modelled."""
        is_fetch = access in (unicorn.UC_MEM_FETCH_UNMAPPED, unicorn.UC_MEM_FETCH_PROT)
        if access in _ACCESS_FAULTS and is_reserved(address, code=is_fetch):
            cause, what = _ACCESS_FAULTS[access]
            pc = address if is_fetch else self.pc  # of the very instruction here
            self._taken = self._exception(cause, pc, address, what.format(address))
            return False
        what = {
            unicorn.UC_MEM_READ_UNMAPPED: f"{size}-byte read at {address:#010x}, where nothing is modelled",
            unicorn.UC_MEM_WRITE_UNMAPPED: f"{size}-byte write at {address:#010x}, where nothing is modelled",
            unicorn.UC_MEM_FETCH_UNMAPPED: f"jump to {address:#010x}, where there is no code",
            unicorn.UC_MEM_WRITE_PROT: f"{size}-byte write at {address:#010x}, which is read-only",
            unicorn.UC_MEM_READ_PROT: f"{size}-byte read at {address:#010x}, which cannot be read",
            unicorn.UC_MEM_FETCH_PROT: f"jump to {address:#010x}, which is data",
        }[access]
        self._raised = self._error(what, self.pc)
        return False

    def _fault(self, error: unicorn.UcError) -> None:
        """Why Unicorn gave up."""
        if self._raised is not None or self._taken is not None:
            return
        if error.errno != unicorn.UC_ERR_INSN_INVALID:
            raise self._error(f"the processor cannot go on ({error})", self.pc) from None
        pc = self.pc
        word = int.from_bytes(self.chip.peek(pc, 4), "little")
        is_break = word == _EBREAK[0] or word & 0xFFFF == _EBREAK[1]
        self._taken = self._exception(_BREAKPOINT, pc, 0, "ebreak") if is_break else self._illegal(pc)

    def _error(self, what: str, pc: int) -> MachineError:
        image = self.chip.image
        time_s = self.chip.clock.now_s
        return MachineError(
            f"{what}; at {image.place(pc)}, called from {image.place(self.register(1))}, t = {time_s:.6f} s"
        )


def _check(code: int) -> None:
    if code != unicorn.UC_ERR_OK:
        raise MachineError(f"Unicorn: {unicorn.UcError(code)}")

using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Espressif;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.UART
{
    // What the UARTs of Espressif's chips share. Modelled: FIFOs of 128 bytes, STATUS, the interrupts RXFIFO_FULL, TXFIFO_EMPTY,
    // RXFIFO_OVF, RXFIFO_TOUT and TX_DONE, baud rate, FIFO resets. The TX FIFO drains at the baud rate, as firmware sees it, but a
    // byte reaches the other side when it is written; received bytes take no time, and the time-out comes at once. Stored only:
    // the settings of other features. Not modelled: loopback, flow control, inverted lines, IrDA, break, auto-baud, RS485.
    public abstract class EspressifUart : UARTBase, IDoubleWordPeripheral, IKnownSize
    {
        protected EspressifUart(IMachine machine) : base(machine)
        {
            this.machine = machine;
            IRQ = new GPIO();
            drained = new LimitTimer(machine.ClockSource, Frequency, this, "tx", direction: Direction.Ascending, eventEnabled: true);
            drained.LimitReached += Drained;
            registers = new EspressifRegisters(this)
                .With(Fifo).With(IntRaw, readOnly: true).With(IntStatus, readOnly: true)
                .With(IntEnable, refused: ~(RxFull | TxEmpty | RxOverflow | RxTimeout | TxDone)).With(IntClear).With(Status, readOnly: true);
        }

        public override void Reset()
        {
            base.Reset();
            registers.Reset();
            sentAt = 0;
            sending = false;
            isArmed = false;
            drained.Reset();
            drained.Enabled = false;
            Update();
        }

        public virtual uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            Update();
            switch(offset)
            {
            case Fifo:
                byte character;
                if(TryGetCharacter(out character)) { Taken(); }
                Update();
                return character;
            case IntStatus: return registers[IntRaw] & registers[IntEnable];
            case Status: return IdleStatus | (uint)Waiting() << 16 | (uint)Count;
            default: return registers[offset];
            }
        }

        public virtual void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            switch(offset)
            {
            case Fifo: Send((byte)value); break;
            case IntClear:
                Update();
                registers[IntRaw] &= ~value;
                break;
            case Conf0:
                registers[Conf0] = value;
                if((value & RxReset) != 0) { ClearBuffer(); }
                if((value & TxReset) != 0) { sentAt = 0; sending = false; }
                break;
            default: registers[offset] = value; break;
            }
            Update();
        }

        public GPIO IRQ { get; }
        public long Size { get { return 0x100; } }
        public override Bits StopBits { get { return Bits.One; } }
        public override Parity ParityBit { get { return Parity.None; } }

        // Of CONF1: bytes above and below which the FIFOs interrupt, and whether a pause does.
        protected abstract uint RxThreshold { get; }
        protected abstract uint TxThreshold { get; }
        protected abstract bool HasRxTimeout { get; }

        // STATUS but for the FIFOs' counts.
        protected abstract uint IdleStatus { get; }

        // A byte was taken out of the RX FIFO.
        protected virtual void Taken() { }

        // Asked before each byte that comes in.
        protected override bool IsReceiveEnabled
        {
            get
            {
                if(Count < FifoBytes) { return true; }
                registers[IntRaw] |= RxOverflow;
                Signal();
                return false;
            }
        }

        protected override void CharWritten() { Signal(); }
        protected override void QueueEmptied() { }

        private void Send(byte value)
        {
            if(Waiting() >= FifoBytes)
            {
                this.Log(LogLevel.Warning, "Byte 0x{0:X2} written into a full TX FIFO: it is lost", value);
                return;
            }
            var now = Now();
            sentAt = (sentAt > now ? sentAt : now) + ByteTime();
            sending = true;
            TransmitCharacter(value);
        }

        // Bytes in the TX FIFO, the one being sent included.
        private int Waiting()
        {
            var now = Now();
            return sentAt <= now ? 0 : (int)((sentAt - now + ByteTime() - 1) / ByteTime());
        }

        // In ticks of 16 MHz.
        private ulong ByteTime()
        {
            var conf = registers[Conf0];
            var halfBits = 2 * (6 + (conf >> 2 & 3) + (conf >> 1 & 1)) + new uint[] { 0, 2, 3, 4 }[conf >> 4 & 3];
            return halfBits * Frequency / (2ul * BaudRate);
        }

        private ulong Now()
        {
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu)) { cpu.SyncTime(); }
            return machine.ElapsedVirtualTime.TimeElapsed.TotalNanoseconds * 2 / 125;
        }

        private void Update()
        {
            var waiting = (ulong)Waiting();
            var threshold = TxThreshold;
            if(waiting < threshold) { registers[IntRaw] |= TxEmpty; }
            if(waiting == 0 && sending)
            {
                sending = false;
                registers[IntRaw] |= TxDone;
            }
            Signal();
            Arm(waiting, threshold);
        }

        // What has to do with receiving, and the interrupt. Needs no time: bytes come from other threads too.
        private void Signal()
        {
            if(Count > RxThreshold) { registers[IntRaw] |= RxFull; }
            if(Count > 0 && HasRxTimeout) { registers[IntRaw] |= RxTimeout; }
            IRQ.Set((registers[IntRaw] & registers[IntEnable]) != 0);
        }

        // Wake when the FIFO has drained to its threshold, or altogether, if that is to interrupt.
        private void Arm(ulong waiting, ulong threshold)
        {
            var isAwaited = waiting > 0 && (registers[IntEnable] & (TxEmpty | TxDone)) != 0;
            if(!isAwaited && !isArmed) { return; }
            left = (registers[IntEnable] & TxEmpty) != 0 && threshold > 0 && waiting >= threshold ? threshold - 1 : 0;
            drained.Enabled = false;
            isArmed = isAwaited;
            if(isArmed) { Start(sentAt - left * ByteTime() - Now()); }
        }

        private void Start(ulong ticks)
        {
            drained.Mode = WorkMode.OneShot;
            drained.Limit = ticks == 0 ? 1 : ticks;
            drained.Value = 0;
            drained.Enabled = true;
        }

        private void Drained()
        {
            registers[IntRaw] |= TxEmpty;
            isArmed = left > 0 && (registers[IntEnable] & TxDone) != 0;
            if(isArmed)
            {
                Start(left * ByteTime());
                left = 0;
            }
            else if(left == 0)
            {
                sending = false;
                registers[IntRaw] |= TxDone;
            }
            Signal();
        }

        private ulong left; // bytes that the FIFO still holds when the timer ends
        private bool isArmed;
        private ulong sentAt; // when the last byte will be out
        private bool sending;
        private readonly IMachine machine;
        private readonly LimitTimer drained;
        protected readonly EspressifRegisters registers;

        private const int FifoBytes = 128;
        private const ulong Frequency = 16000000;
        private const uint RxFull = 1, TxEmpty = 1 << 1, RxOverflow = 1 << 4, RxTimeout = 1 << 8, TxDone = 1 << 14;
        private const uint RxReset = 1 << 17, TxReset = 1 << 18;
        protected const long ClockDivider = 0x14, Conf0 = 0x20, Conf1 = 0x24;
        private const long Fifo = 0x00, IntRaw = 0x04, IntStatus = 0x08, IntEnable = 0x0C, IntClear = 0x10, Status = 0x1C;
    }
}

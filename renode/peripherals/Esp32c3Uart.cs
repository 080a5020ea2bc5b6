using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Esp32c3;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.UART
{
    // UART (TRM chapter 26). Modelled: FIFOs of 128 bytes, STATUS, the interrupts RXFIFO_FULL, TXFIFO_EMPTY, RXFIFO_OVF,
    // RXFIFO_TOUT and TX_DONE, baud rate, FIFO resets. The TX FIFO drains at the baud rate, as firmware sees it, but a byte
    // reaches the other side when it is written; received bytes take no time, and the time-out comes at once. Stored only:
    // the settings of other features. Not modelled: loopback, flow control, inverted lines, IrDA, break, auto-baud, RS485.
    public class Esp32c3Uart : UARTBase, IDoubleWordPeripheral, IKnownSize
    {
        // byRom: CLKDIV and CLK_CONF as the ROM leaves UART0, 115200 baud of the 40 MHz crystal.
        public Esp32c3Uart(IMachine machine, bool byRom = false) : base(machine)
        {
            this.machine = machine;
            IRQ = new GPIO();
            drained = new LimitTimer(machine.ClockSource, Frequency, this, "tx", direction: Direction.Ascending, eventEnabled: true);
            drained.LimitReached += Drained;
            registers = new Esp32c3Registers(this)
                .With(Fifo).With(IntRaw, readOnly: true).With(IntStatus, readOnly: true)
                .With(IntEnable, refused: ~(RxFull | TxEmpty | RxOverflow | RxTimeout | TxDone)).With(IntClear)
                .With(ClockDivider, byRom ? 347u | 3u << 20 : 0x2B6).With(0x18, 0x8).With(Status, readOnly: true)
                .With(Conf0, 0x1000001C, 1u << 8 | 0x3Fu << 9 | 1u << 15 | 1u << 16 | 0x3Fu << 19 | 1u << 27)
                .With(Conf1, 0xC060, 1u << 20).With(0x34, refused: 0x3F).With(0x38, 0xF0).With(0x3C, 0x26E0).With(0x40, 0x2200)
                .With(0x44, 0xA).With(0x48, 0x40100).With(0x4C, refused: 0x3FF).With(0x50, 0x901).With(0x54, 0x901)
                .With(0x58, 0xB).With(0x5C, 0x32B).With(0x60, 0xA0012)
                .With(ClockConf, byRom ? 0x03700000u : 0x03701000u).With(0x7C, 0x02008270, readOnly: true).With(Id, 0x40000500);
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

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            Update();
            switch(offset)
            {
            case Fifo:
                byte character;
                TryGetCharacter(out character);
                Update();
                return character;
            case IntStatus: return registers[IntRaw] & registers[IntEnable];
            case Status: return 0xE000C000u | (uint)Waiting() << 16 | (uint)Count;
            default: return registers[offset];
            }
        }

        public void WriteDoubleWord(long offset, uint value)
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
            case Id: registers[Id] = value & ~(1u << 31); break;
            default: registers[offset] = value; break;
            }
            Update();
        }

        public GPIO IRQ { get; }
        public long Size { get { return 0x100; } }
        public override Bits StopBits { get { return Bits.One; } }
        public override Parity ParityBit { get { return Parity.None; } }

        public override uint BaudRate
        {
            get
            {
                var clock = registers[ClockConf];
                var divider = (registers[ClockDivider] & 0xFFF) * 16 + (registers[ClockDivider] >> 20 & 15); // sixteenths
                var source = (clock >> 20 & 3) == 1 ? 80000000u : (clock >> 20 & 3) == 2 ? 17500000u : 40000000u;
                return divider == 0 ? 1 : (uint)(source / ((clock >> 12 & 0xFF) + 1) * 16ul / divider);
            }
        }

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
            var threshold = registers[Conf1] >> 9 & 0x1FF;
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
            if(Count > (registers[Conf1] & 0x1FF)) { registers[IntRaw] |= RxFull; }
            if(Count > 0 && (registers[Conf1] & RxTimeoutEnable) != 0) { registers[IntRaw] |= RxTimeout; }
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
        private readonly Esp32c3Registers registers;

        private const int FifoBytes = 128;
        private const ulong Frequency = 16000000;
        private const uint RxFull = 1, TxEmpty = 1 << 1, RxOverflow = 1 << 4, RxTimeout = 1 << 8, TxDone = 1 << 14;
        private const uint RxReset = 1 << 17, TxReset = 1 << 18, RxTimeoutEnable = 1 << 21;
        private const long Fifo = 0x00, IntRaw = 0x04, IntStatus = 0x08, IntEnable = 0x0C, IntClear = 0x10, ClockDivider = 0x14;
        private const long Status = 0x1C, Conf0 = 0x20, Conf1 = 0x24, ClockConf = 0x78, Id = 0x80;
    }
}

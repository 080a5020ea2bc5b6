using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.UART
{
    // UART of the ESP32 (TRM chapter 13): see EspressifUart. The FIFO is at the peripheral's address and at that of the other bus,
    // 0x200C0000 above. MEM_RX_STATUS has the ends of the RX FIFO. The clock is that of the bus, 80 MHz, unless CONF0 says REF_TICK.
    public class Esp32Uart : EspressifUart
    {
        public Esp32Uart(IMachine machine) : base(machine)
        {
            registers
                .With(ClockDivider, 0x2B6).With(0x18, 0x1000, 1)
                .With(Conf0, 0x0800001C, 1u << 8 | 0x3Fu << 9 | 1u << 15 | 1u << 16 | 0x3Fu << 19)
                .With(Conf1, 0x6060, 1u << 23).With(0x28, 0xFFFFF, readOnly: true).With(0x2C, 0xFFFFF, readOnly: true)
                .With(0x30, readOnly: true).With(0x34, refused: 0x3F).With(0x38, 0xF0).With(0x3C, 0x1311E000).With(0x40, 0xA40100)
                .With(0x44, refused: 0x3FF).With(0x48, 0x186A00).With(0x4C, 0x186A00).With(0x50, 0x1E00).With(0x54, 0x32B)
                .With(0x58, 0x88, 0x7F7).With(0x5C, readOnly: true).With(FifoEnds, readOnly: true).With(0x64, readOnly: true)
                .With(0x68, 0xFFFFF, readOnly: true).With(0x6C, 0xFFFFF, readOnly: true).With(0x78, 0x15122500).With(0x7C, 0x500);
        }

        public override void Reset()
        {
            taken = 0;
            base.Reset();
        }

        public override uint ReadDoubleWord(long offset)
        {
            return offset == FifoEnds ? taken << 2 | (taken + (uint)Count & 127) << 13 : base.ReadDoubleWord(offset);
        }

        public override void WriteDoubleWord(long offset, uint value)
        {
            if(offset == Conf0 && (value & 1u << 17) != 0) { taken = 0; }
            base.WriteDoubleWord(offset, value);
        }

        public override uint BaudRate
        {
            get
            {
                var divider = (registers[ClockDivider] & 0xFFFFF) * 16 + (registers[ClockDivider] >> 20 & 15); // sixteenths
                var source = (registers[Conf0] & 1u << 27) != 0 ? 80000000ul : 1000000ul;
                return divider == 0 ? 1 : (uint)(source * 16 / divider);
            }
        }

        protected override void Taken() { taken = taken + 1 & 127; }
        protected override uint RxThreshold { get { return registers[Conf1] & 0x7F; } }
        protected override uint TxThreshold { get { return registers[Conf1] >> 8 & 0x7F; } }
        protected override bool HasRxTimeout { get { return registers[Conf1] >> 31 != 0; } }
        protected override uint IdleStatus { get { return 0; } }

        private uint taken; // the FIFO's end that is read, in bytes

        private const long FifoEnds = 0x60;
    }
}

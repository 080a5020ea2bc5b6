using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.UART
{
    // UART of the ESP32-C3 (TRM chapter 26): see EspressifUart.
    public class Esp32c3Uart : EspressifUart
    {
        // byRom: CLKDIV and CLK_CONF as the ROM leaves UART0, 115200 baud of the 40 MHz crystal.
        public Esp32c3Uart(IMachine machine, bool byRom = false) : base(machine)
        {
            registers
                .With(ClockDivider, byRom ? 347u | 3u << 20 : 0x2B6).With(0x18, 0x8)
                .With(Conf0, 0x1000001C, 1u << 8 | 0x3Fu << 9 | 1u << 15 | 1u << 16 | 0x3Fu << 19 | 1u << 27)
                .With(Conf1, 0xC060, 1u << 20).With(0x34, refused: 0x3F).With(0x38, 0xF0).With(0x3C, 0x26E0).With(0x40, 0x2200)
                .With(0x44, 0xA).With(0x48, 0x40100).With(0x4C, refused: 0x3FF).With(0x50, 0x901).With(0x54, 0x901)
                .With(0x58, 0xB).With(0x5C, 0x32B).With(0x60, 0xA0012)
                .With(ClockConf, byRom ? 0x03700000u : 0x03701000u).With(0x7C, 0x02008270, readOnly: true).With(Id, 0x40000500);
        }

        public override void WriteDoubleWord(long offset, uint value)
        {
            base.WriteDoubleWord(offset, offset == Id ? value & ~(1u << 31) : value);
        }

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

        protected override uint RxThreshold { get { return registers[Conf1] & 0x1FF; } }
        protected override uint TxThreshold { get { return registers[Conf1] >> 9 & 0x1FF; } }
        protected override bool HasRxTimeout { get { return (registers[Conf1] & 1u << 21) != 0; } }
        protected override uint IdleStatus { get { return 0xE000C000; } }

        private const long ClockConf = 0x78, Id = 0x80;
    }
}

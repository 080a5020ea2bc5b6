using System.Collections.Generic;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // System registers (TRM chapter 16). Modelled: FROM_CPU software interrupts, PERIP_RST_EN0 of UART0, UART1, SPI2 and
    // SYSTIMER. Stored only: all clock settings; the CPU runs at PerformanceInMips, the peripherals' clocks are always on.
    public class Esp32c3System : IDoubleWordPeripheral, IKnownSize, INumberedGPIOOutput
    {
        public Esp32c3System(IPeripheral uart0 = null, IPeripheral uart1 = null, IPeripheral spi2 = null, IPeripheral systimer = null)
        {
            resets = new Dictionary<int, IPeripheral> { { 2, uart0 }, { 5, uart1 }, { 6, spi2 }, { 29, systimer } };
            Connections = Enumerable.Range(0, 4).ToDictionary(n => n, n => (IGPIO)new GPIO());
            registers = new EspressifRegisters(this)
                .With(0x00).With(0x04, 0xC0).With(0x08, 0x0D).With(0x0C, 1).With(0x10, 0xF9C1E06F).With(0x14, 0x200)
                .With(Reset0).With(0x1C, 0x1FE).WithMany(FromCpu, 4).With(0x40, 0x5).With(0x54, 1).With(0x58, 0x401)
                .With(0xFFC, 0x02007150, readOnly: true);
        }

        public void Reset()
        {
            registers.Reset();
            foreach(var connection in Connections.Values) { connection.Unset(); }
        }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            var before = registers[offset];
            registers[offset] = value;
            if(offset >= FromCpu && offset < FromCpu + 16) { Connections[(int)(offset - FromCpu) / 4].Set((value & 1) != 0); }
            foreach(var reset in resets)
            {
                if(offset == Reset0 && reset.Value != null && (value & ~before & 1u << reset.Key) != 0) { reset.Value.Reset(); }
            }
        }

        public long Size { get { return 0x1000; } }
        public IReadOnlyDictionary<int, IGPIO> Connections { get; }

        private readonly Dictionary<int, IPeripheral> resets; // by their bit
        private readonly EspressifRegisters registers;

        private const long Reset0 = 0x18, FromCpu = 0x28;
    }
}

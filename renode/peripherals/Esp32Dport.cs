using System.Collections.Generic;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.IRQControllers
{
    // DPORT (TRM chapters 3, 5) as core 0 uses it: the interrupt matrix, 69 sources to 32 lines of the CPU, by level; FROM_CPU
    // software interrupts; PERIP_RST_EN of UART0, UART1, SPI2 and timer group 0. Stored only: clock settings; the CPU runs at
    // PerformanceInMips, the peripherals' clocks are always on. Lines that the core keeps for itself (6, 7, 11, 15, 16, 29) lead
    // nowhere. Not modelled: core 1, caches and MMU.
    public class Esp32Dport : IDoubleWordPeripheral, IKnownSize, IGPIOReceiver, INumberedGPIOOutput
    {
        public Esp32Dport(IPeripheral uart0 = null, IPeripheral uart1 = null, IPeripheral spi2 = null, IPeripheral timg0 = null)
        {
            resets = new Dictionary<int, IPeripheral> { { 2, uart0 }, { 5, uart1 }, { 6, spi2 }, { 13, timg0 } };
            Connections = Enumerable.Range(0, LineCount).ToDictionary(n => n, n => (IGPIO)new GPIO());
            registers = new EspressifRegisters(this)
                .With(0x3C).With(0xC0, 0xF9C1E06F).With(Resets).WithMany(FromCpu, 4).WithMany(Map, SourceCount, Nowhere);
        }

        public void Reset()
        {
            registers.Reset();
            System.Array.Clear(source, 0, SourceCount);
            Update();
        }

        public void OnGPIO(int number, bool value)
        {
            source[number] = value;
            Update();
        }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            var before = registers[offset];
            registers[offset] = value;
            if(offset >= FromCpu && offset < FromCpu + 16) { source[FromCpuSource + (offset - FromCpu) / 4] = (value & 1) != 0; }
            foreach(var reset in resets)
            {
                if(offset == Resets && reset.Value != null && (value & ~before & 1u << reset.Key) != 0) { reset.Value.Reset(); }
            }
            Update();
        }

        // The lowest line that is asserted; 0 for none.
        public int Asserted { get; private set; }

        public long Size { get { return 0x1000; } }
        public IReadOnlyDictionary<int, IGPIO> Connections { get; }

        private void Update()
        {
            uint lines = 0;
            for(var i = 0; i < SourceCount; i++) { lines |= source[i] ? 1u << (int)(registers[Map + 4 * i] & 31) : 0; }
            lines &= ~Internal;
            foreach(var connection in Connections) { connection.Value.Set((lines >> connection.Key & 1) != 0); }
            Asserted = 0;
            for(var n = LineCount - 1; n > 0; n--)
            {
                if((lines >> n & 1) != 0) { Asserted = n; }
            }
        }

        private readonly bool[] source = new bool[SourceCount];
        private readonly Dictionary<int, IPeripheral> resets; // by their bit
        private readonly EspressifRegisters registers;

        private const int SourceCount = 69, LineCount = 32, FromCpuSource = 24;
        private const uint Nowhere = 16, Internal = 1u << 6 | 1u << 7 | 1u << 11 | 1u << 15 | 1u << 16 | 1u << 29;
        private const long Resets = 0xC4, FromCpu = 0xDC, Map = 0x104;
    }
}

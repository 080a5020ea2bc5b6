using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // eFuse (TRM chapter 4): read-only words 0x2C to 0x178, of which only the MAC address is burnt.
    public class Esp32c3Efuse : IDoubleWordPeripheral, IKnownSize
    {
        // mac: six bytes as printed, in the low 48 bits.
        public Esp32c3Efuse(ulong mac = 0x7CDFA1000001)
        {
            registers = new EspressifRegisters(this).WithMany(0x2C, 84, readOnly: true)
                .With(0x44, (uint)mac, readOnly: true).With(0x48, (uint)(mac >> 32), readOnly: true);
        }

        public void Reset() { }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value) { registers.CanWrite(offset, value); }

        public long Size { get { return 0x200; } }

        private readonly EspressifRegisters registers;
    }
}

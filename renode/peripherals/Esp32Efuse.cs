using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // eFuse controller (TRM chapter 20). Modelled: the MAC address 7C:DF:A1:00:00:01 in block 0, which reads 0 otherwise (no CRC of
    // the address). Not modelled: burning, the other blocks.
    public class Esp32Efuse : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32Efuse()
        {
            registers = new EspressifRegisters(this).With(0x00, readOnly: true).With(0x04, 0xA1000001, readOnly: true)
                .With(0x08, 0x7CDF, readOnly: true).WithMany(0x0C, 4, readOnly: true);
        }

        public void Reset() { registers.Reset(); }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value) { registers.CanWrite(offset, value); }

        public long Size { get { return 0x1000; } }

        private readonly EspressifRegisters registers;
    }
}

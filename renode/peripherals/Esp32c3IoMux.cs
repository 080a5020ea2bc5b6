using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.GPIOPort
{
    // IO MUX (TRM chapter 5): pad settings of the 22 pins, stored only.
    public class Esp32c3IoMux : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32c3IoMux()
        {
            registers = new EspressifRegisters(this).With(0x00, 0x7FF).WithMany(0x04, 22, 0xB00).With(0xFC, 0x02006050, readOnly: true);
        }

        public void Reset() { registers.Reset(); }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(registers.CanWrite(offset, value)) { registers[offset] = value; }
        }

        public long Size { get { return 0x1000; } }

        private readonly EspressifRegisters registers;
    }
}

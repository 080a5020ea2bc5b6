using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.GPIOPort
{
    // IO MUX (TRM chapter 4): stores the settings of every pin, from GPIO36 at 0x04 on to GPIO24 at 0x90.
    public class Esp32IoMux : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32IoMux() { registers = new EspressifRegisters(this).WithMany(0x00, 37); }

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

using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.GPIOPort
{
    // GPIO matrix (TRM chapter 4), pins 0 to 31. Modelled: OUT and ENABLE with their set and clear registers. Stored only: the
    // matrix' routing (FUNCn_IN_SEL, FUNCn_OUT_SEL). Not modelled: inputs, pins from 32 on, pin interrupts.
    public class Esp32Gpio : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32Gpio()
        {
            registers = new EspressifRegisters(this)
                .With(Out).With(0x08).With(0x0C).With(Enable).With(0x24).With(0x28).WithMany(0x130, 256).WithMany(0x530, 40, 0x100);
        }

        public void Reset() { registers.Reset(); }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            switch(offset)
            {
            case 0x08: registers[Out] |= value; break;
            case 0x0C: registers[Out] &= ~value; break;
            case 0x24: registers[Enable] |= value; break;
            case 0x28: registers[Enable] &= ~value; break;
            default: registers[offset] = value; break;
            }
        }

        public long Size { get { return 0x1000; } }

        private readonly EspressifRegisters registers;

        private const long Out = 0x04, Enable = 0x20;
    }
}

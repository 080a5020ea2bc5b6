using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.GPIOPort
{
    // GPIO matrix (TRM chapter 5). Modelled: OUT and ENABLE with their set and clear registers, IN, STRAP, STATUS.
    // Stored only: PINn, the matrix' routing (FUNCn_IN_SEL, FUNCn_OUT_SEL), CLOCK_GATE. Not modelled: pin interrupts.
    // A pin that is no output is pulled up; the connection of a pin is high only while it is an output that is set.
    public class Esp32c3Gpio : BaseGPIOPort, IDoubleWordPeripheral, IKnownSize
    {
        public Esp32c3Gpio(IMachine machine) : base(machine, PinCount)
        {
            registers = new EspressifRegisters(this)
                .With(Out).With(0x08).With(0x0C).With(Enable).With(0x24).With(0x28)
                .With(0x38, 0x8, readOnly: true).With(In, readOnly: true).With(0x44).With(0x48).With(0x4C)
                .WithMany(0x74, 26, refused: 0x7u << 7 | 0x1Fu << 13 | 1u << 10)
                .WithMany(0x154, 128).WithMany(0x554, 26, 0x80).With(0x62C, 1).With(0x6FC, 0x02006130, readOnly: true);
        }

        public override void Reset()
        {
            base.Reset();
            registers.Reset();
        }

        public override void OnGPIO(int number, bool value)
        {
            base.OnGPIO(number, value);
            driven = value ? driven | 1u << number : driven & ~(1u << number);
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            var enable = registers[Enable];
            return offset == In ? (registers[Out] & enable | driven & ~enable) & PinMask : registers[offset];
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            switch(offset)
            {
            case Out: registers[Out] = value & Stored; break;
            case 0x08: registers[Out] |= value & Stored; break;
            case 0x0C: registers[Out] &= ~value; break;
            case Enable: registers[Enable] = value & Stored; break;
            case 0x24: registers[Enable] |= value & Stored; break;
            case 0x28: registers[Enable] &= ~value; break;
            default: registers[offset] = value; return;
            }
            SetConnectionsStateUsingBits(registers[Out] & registers[Enable]);
        }

        public long Size { get { return 0x1000; } }

        private uint driven = PinMask;
        private readonly EspressifRegisters registers;

        private const int PinCount = 22;
        private const uint PinMask = (1u << PinCount) - 1, Stored = 0x3FFFFFF;
        private const long Out = 0x04, Enable = 0x20, In = 0x3C;
    }
}
